"""Evaluation: ask a model every row, measure its answers, judge and compare them, decide.

Training is not its business, and neither is putting a version into service: the gate only says
whether it may be.
"""

from finetune.evaluate.match import MatchScore, exact_match, score_matches
from finetune.evaluate.metrics import TaskMetrics, measure
from finetune.evaluate.report import EvaluationReport
from finetune.evaluate.row import RowResult
from finetune.evaluate.run import EvaluationError, EvaluationProgress, evaluate

__all__ = [
    "EvaluationError",
    "EvaluationProgress",
    "EvaluationReport",
    "MatchScore",
    "RowResult",
    "TaskMetrics",
    "evaluate",
    "exact_match",
    "measure",
    "score_matches",
]
