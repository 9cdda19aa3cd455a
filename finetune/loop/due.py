"""Which wikis are due for a round: by their schedule, or since a round was left unfinished."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from finetune.loop.folder import RunFile, past_rounds, unfinished_round
from swarm import Catalog
from swarm.errors import DataError
from wiki import WIKIS
from wiki.schedule import next_time, tolerance

__all__ = ["Due", "due_wikis"]


_SKEW = timedelta(hours=1)
"""A round that seems to begin later than this from now was begun by a clock that was wrong."""


class Due(BaseModel):
    """A wiki with a schedule."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    wiki: str
    every: str
    last: datetime | None
    """When its last round began; None before the first."""
    next: datetime
    """When the next one begins."""
    is_due: bool
    is_unfinished: bool
    """Its last round was killed or failed, and the next call goes on with it."""


def due_wikis(catalog: Catalog, *, home: Path, now: datetime | None = None) -> tuple[Due, ...]:
    """Return the wikis of a catalog that have a schedule, and whether they are due.

    Args:
        catalog: The declarations.
        home: The folder of the state.
        now: The time that counts; the present when absent.
    """
    now = now or datetime.now(UTC)
    found: list[Due] = []
    for wiki in catalog.registry(WIKIS):
        if wiki.loop is None or wiki.loop.every is None:
            continue
        every = wiki.loop.every
        try:
            began = _last(home, wiki.wiki_name)
            unfinished = unfinished_round(home, wiki.wiki_name) is not None
        except DataError:
            # The round itself says what is damaged, and keeps no other wiki from being looked at.
            began, unfinished = None, True
        last = None if began is None else began.started_at
        is_known = last is not None and not unfinished and last <= now + _SKEW
        coming = next_time(every, last) if last is not None and is_known else now
        found.append(
            Due(
                wiki=wiki.wiki_name,
                every=every,
                last=last,
                next=coming,
                is_due=coming - tolerance(every) <= now,
                is_unfinished=unfinished,
            )
        )
    return tuple(found)


def _last(home: Path, wiki: str) -> RunFile | None:
    return next((known for run in past_rounds(home, wiki) if (known := run.read())), None)
