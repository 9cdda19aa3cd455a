"""What a round of the loop says: a line for each stage, and what came of it."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from finetune.licence import Duties

__all__ = ["LoopResult", "Outcome", "StageReport"]

Outcome = Literal["promoted", "candidate", "waiting", "refused", "not_enough_data"]
"""The new version serves, has the alias `candidate`, waits for somebody to promote it, is not
better, or there was too little to train or to judge."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class StageReport(_Record):
    """What happened to one stage in a call."""

    stage: str
    state: Literal["done", "kept"]
    """`kept` was finished by an earlier call whose inputs are still the same."""
    seconds: float
    """Wall time of the work, also where an earlier call did it."""
    outputs: dict[str, JsonValue]
    """The figures and names that it left."""


class LoopResult(_Record):
    """The end of a round."""

    format: Literal[1] = 1
    wiki: str
    name: str
    """The round, named by the time of its start in UTC: `20261125T021500Z`."""
    run_dir: Path
    """Its folder: a manifest for each stage, the reports, the model."""
    outcome: Outcome
    reasons: tuple[str, ...]
    """Why, in words; the deciding ones first."""
    version: str | None = None
    """The version in the registry, such as `pharma@3`; None where nothing was registered."""
    before: str | None = None
    """What was in service when the round began; None before the first version."""
    duties: Duties | None = None
    """What the licence of the version asks of whoever serves it; None where there is none."""
    hint: str | None = None
    """What keeps the wiki from being answered by what was promoted; None where nothing does."""
    stages: tuple[StageReport, ...]
    finished_at: datetime

    @property
    def is_better(self) -> bool:
        """Whether the round made a version that may serve."""
        return self.outcome in ("promoted", "candidate", "waiting")

    def text(self) -> str:
        """Return the result in a few lines for people."""
        head = {
            "promoted": f"{self.version} is live",
            "candidate": f"{self.version} is the candidate",
            "waiting": f"{self.version} is better and waits for its promotion",
            "refused": "refused",
            "not_enough_data": "not enough data",
        }[self.outcome]
        return "\n".join([head, *(f"- {reason}" for reason in self.reasons)])
