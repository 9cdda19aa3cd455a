"""From captured conversations to training rows: one segment per answered turn.

Feedback decides what becomes of a segment: a good answer is an example to imitate, a corrected
one a pair of a preferred and a non-preferred output. A wiki's own questions and answers can be
collected in place of the agents' conversations. Projects are never mixed without being named.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from finetune.dataset import DpoRow, SftRow
from finetune.dataset.sample import Sample
from finetune.replay import DropReason, Segment, SessionReader
from swarm.errors import DataError
from swarm.events import SessionOpened
from swarm.store import Database, Run, read_feedback, read_session, session_ids

__all__ = ["Collection", "collect"]


class Collection(BaseModel):
    """What a journal gave."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    segments: tuple[Segment, ...]
    dropped: dict[DropReason, int]
    """Turns that gave no segment, by reason."""

    @property
    def sft_rows(self) -> list[SftRow]:
        """The supervised rows, in the order of the conversations."""
        return [segment.sft_row() for segment in self.segments]

    @property
    def samples(self) -> list[Sample]:
        """All rows with their provenance: the supervised ones, then the preferences."""
        sft = [Sample(segment.sft_row(), segment.provenance) for segment in self.segments]
        pairs = ((segment.dpo_row(), segment.provenance) for segment in self.segments)
        return [*sft, *(Sample(row, origin) for row, origin in pairs if row is not None)]

    @property
    def dpo_rows(self) -> list[DpoRow]:
        """The preference rows: one for each corrected answer."""
        return [row for segment in self.segments if (row := segment.dpo_row()) is not None]


async def collect(
    database: Database,
    *,
    wiki_name: str | None = None,
    agent_name: str | None = None,
    min_rating: int = 3,
    context_messages: int = 20,
    project: str | Sequence[str] | None = None,
    runs: Iterable[Run] | None = None,
    since: float | None = None,
) -> Collection:
    """Read the segments of sessions.

    Args:
        database: The journal's database.
        wiki_name: Collect what this wiki was asked and answered, not what agents said.
        agent_name: Only turns that this agent answered.
        min_rating: Turns rated below it are dropped unless they carry a correction.
        context_messages: Messages before the answer that a segment keeps, roughly.
        project: Only sessions of this project, or of these; `""` stands for no project.
        runs: Only these runs.
        since: Only turns that started then or later, in seconds since 1970.

    Raises:
        DataError: The sessions belong to several projects, and none is named.
        StoreError: The journal cannot be read.
    """
    chosen = None if runs is None else {run.run_id: run.session_id for run in runs}
    named = await session_ids(database, project=project)
    if chosen is not None:
        of_runs = set(chosen.values())
        named = [session_id for session_id in named if session_id in of_runs]
    feedback = await read_feedback(database)
    segments: list[Segment] = []
    dropped: Counter[DropReason] = Counter()
    projects: set[str] = set()
    for session_id in named:
        reader = SessionReader(session_id, feedback, wiki_name, context_messages)
        for row in await read_session(database, session_id):
            if isinstance(row.event, SessionOpened):
                projects.add(row.event.project or "")
                if project is None and len(projects) > 1:
                    raise _mixed(projects)
            found = reader.take(row)
            if found is None or agent_name not in (None, reader.agent_name):
                continue
            if chosen is not None and reader.run_id not in chosen:
                continue
            if since is not None and reader.started_at < since:
                continue
            if isinstance(found, Segment) and found.correct is None:
                too_low = found.rating is not None and found.rating < min_rating
                found = "low_rating" if too_low else found
            if isinstance(found, Segment):
                segments.append(found)
            else:
                dropped[found] += 1
    return Collection(segments=tuple(segments), dropped=dict(sorted(dropped.items())))


def _mixed(projects: set[str]) -> DataError:
    names = ", ".join(repr(name) if name else "no project" for name in sorted(projects))
    error = DataError(f"the conversations belong to several projects: {names}")
    error.hint = "name those whose data may be in one set, such as --project shop"
    return error
