"""Which wikis are due for a round: by their schedule, or since a round was left unfinished."""

from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from finetune.loop.folder import past_rounds
from swarm import Catalog
from wiki import WIKIS
from wiki.schedule import next_time

__all__ = ["Due", "due_wikis"]


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
        runs = [(run, known) for run in past_rounds(home, wiki.wiki_name) if (known := run.read())]
        last = runs[0][1].started_at if runs else None
        unfinished = bool(runs) and runs[0][0].result() is None
        coming = now if last is None or unfinished else next_time(wiki.loop.every, last)
        found.append(
            Due(
                wiki=wiki.wiki_name,
                every=wiki.loop.every,
                last=last,
                next=coming,
                is_due=coming <= now,
                is_unfinished=unfinished,
            )
        )
    return tuple(found)
