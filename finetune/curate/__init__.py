"""Curation: which samples may be trained on, and what has to be changed in them first."""

from finetune.curate.pipeline import STEPS, CurationError, Pipeline
from finetune.curate.pool import WorkerError
from finetune.curate.report import CurationReport, SourceReport, StepReport
from finetune.curate.run import PoolName, curate
from finetune.curate.step import CorpusStep, Decision, Note, RowStep, StepConfig, Verdict

__all__ = [
    "STEPS",
    "CorpusStep",
    "CurationError",
    "CurationReport",
    "Decision",
    "Note",
    "Pipeline",
    "PoolName",
    "RowStep",
    "SourceReport",
    "StepConfig",
    "StepReport",
    "Verdict",
    "WorkerError",
    "curate",
]
