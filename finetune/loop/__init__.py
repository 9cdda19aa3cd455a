"""The loop: rows become a model version that serves a wiki only if it is better.

`run_loop` runs one round: collect, curate, freeze, train, package, evaluate, gate, register,
promote, watch. How, is declared under `loop:` of the wiki (`wiki.LoopSpec`). Drift of what serves
is not its business.
"""

from finetune.loop.due import Due, due_wikis
from finetune.loop.errors import (
    LicenceUnknownError,
    LiveChangedError,
    LoopRunningError,
    MachineTooSmallError,
    NoSpaceError,
)
from finetune.loop.plan import LoopPlan, plan_loop
from finetune.loop.result import LoopResult, Outcome, StageReport
from finetune.loop.run import run_loop
from finetune.loop.stages import STAGES
from finetune.loop.start import loop_starter

__all__ = [
    "STAGES",
    "Due",
    "LicenceUnknownError",
    "LiveChangedError",
    "LoopPlan",
    "LoopResult",
    "LoopRunningError",
    "MachineTooSmallError",
    "NoSpaceError",
    "Outcome",
    "StageReport",
    "due_wikis",
    "loop_starter",
    "plan_loop",
    "run_loop",
]
