"""From conversations to a better model: collect, train, evaluate, package, publish.

Importing this loads no training library; training and evaluation run in child processes.
"""

from finetune.collect import Collection, collect
from finetune.evaluate import EvaluationReport, evaluate, exact_match
from finetune.package import package_gguf, write_modelfile
from finetune.publish import publish
from finetune.questions import Question, held_out_rows, read_questions, training_rows
from finetune.replay import DropReason, Segment
from finetune.train import TrainConfig, TrainProgress, TrainResult, train

__all__ = [
    "Collection",
    "DropReason",
    "EvaluationReport",
    "Question",
    "Segment",
    "TrainConfig",
    "TrainProgress",
    "TrainResult",
    "collect",
    "evaluate",
    "exact_match",
    "held_out_rows",
    "package_gguf",
    "publish",
    "read_questions",
    "train",
    "training_rows",
    "write_modelfile",
]
