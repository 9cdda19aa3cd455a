"""Curation: which samples may be trained on, and what has to be changed in them first."""

from finetune.curate.step import CorpusStep, Decision, Note, RowStep, StepConfig, Verdict

__all__ = ["CorpusStep", "Decision", "Note", "RowStep", "StepConfig", "Verdict"]
