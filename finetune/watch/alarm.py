"""An alarm: what moved, from what to what, and what was done about it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from wiki import WatchSignal

__all__ = ["Alarm"]


class Alarm(BaseModel):
    """One change that is more than chance."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    number: int
    """Counts the alarms of a wiki from 1."""
    wiki_name: str
    model: str
    """Whose answers changed: a model reference with its version, or `log:FILE`."""
    judged: str | None = None
    """The version that the alarm is about: `model`, or for a log, which does not tell who answered,
    the one that was in service when the alarm was raised. None in lines of before."""
    signal: WatchSignal
    at: float
    """When it was raised, in seconds since 1970."""
    before: float
    after: float
    before_count: int
    """How many values `before` is the mean of; 0 for a declared baseline."""
    after_count: int
    message: str
    """All of it in words."""
    action: Literal["report", "rollback", "loop"] = "report"
    """What the wiki asks for."""
    outcome: str | None = None
    """What became of that; None until it is done."""
