"""From conversations to a better model: collect, train, evaluate, package, publish.

Importing this loads no training library; training and evaluation run in child processes.
"""

from finetune.collect import Collection, collect
from finetune.evaluate import (
    CompareSettings,
    Comparison,
    EvaluationReport,
    GateDecision,
    GatePolicy,
    compare,
    decide,
    evaluate,
    exact_match,
)
from finetune.package import export_to_gguf, package_gguf, write_modelfile
from finetune.publish import publish
from finetune.questions import Question, held_out_rows, read_questions, training_rows
from finetune.replay import DropReason, Segment
from finetune.train import TrainConfig, TrainProgress, TrainResult, train

__all__ = [
    "Collection",
    "CompareSettings",
    "Comparison",
    "DropReason",
    "EvaluationReport",
    "GateDecision",
    "GatePolicy",
    "Question",
    "Segment",
    "TrainConfig",
    "TrainProgress",
    "TrainResult",
    "collect",
    "compare",
    "decide",
    "evaluate",
    "exact_match",
    "export_to_gguf",
    "held_out_rows",
    "package_gguf",
    "publish",
    "read_questions",
    "train",
    "training_rows",
    "write_modelfile",
]
