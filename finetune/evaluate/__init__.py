"""Evaluation on this machine: ask a model every row, count the exact answers.

It judges answers by equality only; promoting a model on the figures is not its business.
"""

from finetune.evaluate.match import MatchScore, exact_match, score_matches
from finetune.evaluate.report import EvaluationReport, RowResult
from finetune.evaluate.run import EvaluationError, EvaluationProgress, evaluate

__all__ = [
    "EvaluationError",
    "EvaluationProgress",
    "EvaluationReport",
    "MatchScore",
    "RowResult",
    "evaluate",
    "exact_match",
    "score_matches",
]
