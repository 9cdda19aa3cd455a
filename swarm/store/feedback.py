"""What people thought of an answer: a rating, a correction, or both."""

import time
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from swarm.store.database import Database

__all__ = ["Feedback", "add_feedback", "read_feedback"]


class Feedback(BaseModel):
    """Feedback on one run."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    run_id: str
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    """1 is bad, 5 is good."""
    correct: str | None = None
    """What the answer should have been."""
    at: float = Field(default_factory=time.time)
    """Seconds since the epoch."""

    @model_validator(mode="after")
    def _says_something(self) -> "Feedback":
        if self.rating is None and not (self.correct and self.correct.strip()):
            raise ValueError("give a rating from 1 to 5, a correct answer, or both")
        return self


async def add_feedback(database: Database, feedback: Feedback) -> None:
    """Keep feedback; it is durable on return.

    Raises:
        StoreError: It could not be written.
    """
    import sqlalchemy as sa

    row = {
        "run_id": feedback.run_id,
        "payload": feedback.model_dump_json(exclude={"run_id", "at"}, exclude_none=True),
        "at": feedback.at,
    }
    insert = sa.insert(database.tables.feedback)
    await database.run(lambda connection: connection.execute(insert, row))


async def read_feedback(database: Database) -> dict[str, Feedback]:
    """Return the feedback of each run; of several, the newest rating and correction count."""
    import orjson
    import sqlalchemy as sa

    table = database.tables.feedback
    query = sa.select(table).order_by(table.c.id)
    rows = await database.run(lambda connection: connection.execute(query).all())
    found: dict[str, Feedback] = {}
    for row in rows:
        fields = orjson.loads(row.payload)
        earlier = found.get(row.run_id)
        if earlier is not None:
            fields = {**earlier.model_dump(exclude={"run_id", "at"}, exclude_none=True), **fields}
        found[row.run_id] = Feedback(run_id=row.run_id, at=row.at, **fields)
    return found
