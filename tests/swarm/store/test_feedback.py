"""Feedback: kept, merged, and refused where it says nothing."""

from typing import Any

import pydantic
import pytest

from swarm.store import Feedback, add_feedback, read_feedback
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


async def test_of_several_opinions_the_newest_rating_and_correction_count(
    program: Program,
) -> None:
    async with program.host() as host:
        for given in (
            Feedback(run_id="one", rating=1),
            Feedback(run_id="two", rating=5),
            Feedback(run_id="one", correct="It costs 3."),
            Feedback(run_id="one", rating=2),
        ):
            await add_feedback(host.database, given)
    async with program.host() as host:
        found = await read_feedback(host.database)
    assert set(found) == {"one", "two"}
    assert (found["one"].rating, found["one"].correct) == (2, "It costs 3.")
    assert (found["two"].rating, found["two"].correct) == (5, None)


@pytest.mark.parametrize(
    "fields", [{}, {"rating": 0}, {"rating": 6}, {"correct": " "}, {"rating": 3, "other": 1}]
)
def test_feedback_that_says_nothing_or_too_much(fields: dict[str, Any]) -> None:
    with pytest.raises(pydantic.ValidationError):
        Feedback(run_id="one", **fields)
