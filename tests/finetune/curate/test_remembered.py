"""What was made of a row is found again while its batch is worked on, and for no other row."""

import pytest

from finetune.curate.remembered import Remembered
from finetune.dataset import AssistantMessage, SftRow, UserMessage


def row(text: str) -> SftRow:
    return SftRow(messages=(UserMessage(content=text), AssistantMessage(content="Yes.")))


@pytest.mark.requirement("S2-05")
def test_a_batch_is_remembered_whatever_came_before_it() -> None:
    remembered: Remembered[int] = Remembered()
    for before in (0, 1, 700):
        for number in range(before):
            remembered.keep(row("old"), number)
        batch = [row(str(number)) for number in range(1000)]
        for number, one in enumerate(batch):
            remembered.keep(one, number)
        assert [remembered.get(one) for one in batch] == list(zip(batch, range(1000), strict=True))


def test_an_equal_row_is_not_the_same_row() -> None:
    remembered: Remembered[None] = Remembered()
    known = row("a")
    remembered.keep(known, None)
    assert remembered.get(known) == (known, None)
    assert remembered.get(row("a")) is None


def test_old_rows_are_forgotten() -> None:
    remembered: Remembered[int] = Remembered()
    first = row("first")
    remembered.keep(first, 1)
    for number in range(3000):
        remembered.keep(row("next"), number)
    assert remembered.get(first) is None
