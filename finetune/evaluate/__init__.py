"""Evaluation: ask a model every row, measure its answers, judge and compare them, decide.

Training is not its business, and neither is putting a version into service: the gate only says
whether it may be.
"""

from finetune.evaluate.agreement import (
    Agreement,
    HumanRating,
    JudgeRefusedError,
    calibrate,
    measure_agreement,
    read_ratings,
)
from finetune.evaluate.asking import ask_model
from finetune.evaluate.compare import CompareSettings, compare
from finetune.evaluate.comparison import Comparison
from finetune.evaluate.decision import GateDecision, GateMetric, GatePolicy
from finetune.evaluate.gate import decide
from finetune.evaluate.golden import GoldenSet, GoldenSets
from finetune.evaluate.judge import Judge, open_judge
from finetune.evaluate.judging import JudgeReport, compare_rows, judge_rows
from finetune.evaluate.match import MatchScore, exact_match, score_matches
from finetune.evaluate.metrics import TaskMetrics, measure
from finetune.evaluate.people import read_sheet, write_sheet
from finetune.evaluate.power import rows_for_accuracies
from finetune.evaluate.probes import Canary, Probes, Trigger, read_probes
from finetune.evaluate.rendering import to_html, to_markdown, write_report
from finetune.evaluate.report import EvaluationReport
from finetune.evaluate.row import RowResult, read_results
from finetune.evaluate.run import EvaluationError, EvaluationProgress, evaluate

__all__ = [
    "Agreement",
    "Canary",
    "CompareSettings",
    "Comparison",
    "EvaluationError",
    "EvaluationProgress",
    "EvaluationReport",
    "GateDecision",
    "GateMetric",
    "GatePolicy",
    "GoldenSet",
    "GoldenSets",
    "HumanRating",
    "Judge",
    "JudgeRefusedError",
    "JudgeReport",
    "MatchScore",
    "Probes",
    "RowResult",
    "TaskMetrics",
    "Trigger",
    "ask_model",
    "calibrate",
    "compare",
    "compare_rows",
    "decide",
    "evaluate",
    "exact_match",
    "judge_rows",
    "measure",
    "measure_agreement",
    "open_judge",
    "read_probes",
    "read_ratings",
    "read_results",
    "read_sheet",
    "rows_for_accuracies",
    "score_matches",
    "to_html",
    "to_markdown",
    "write_report",
    "write_sheet",
]
