"""The lines of a shard as samples, each with its text where that can be written as it is."""

from collections.abc import Iterator
from typing import NamedTuple

from finetune.curate.plain import remember
from finetune.curate.shards import Shard
from finetune.dataset.lines import Line
from finetune.dataset.plain import read_plain_row
from finetune.dataset.problem import Problem
from finetune.dataset.sample import Provenance, Sample
from finetune.dataset.sample_file import parse_unusual_sample

__all__ = ["BadLine", "ReadLine", "read_shard"]


class ReadLine(NamedTuple):
    """A line that is a sample."""

    sample: Sample
    text: str | None = None
    """The line, where it is just what `encode_row` makes of the row."""


class BadLine(NamedTuple):
    """A line that is no sample."""

    number: int
    problems: tuple[Problem, ...]


def read_shard(shard: Shard) -> Iterator[ReadLine | BadLine]:
    """Yield the samples of a shard, and the lines that are none."""
    for item in shard.lines():
        if not isinstance(item, Line):
            yield BadLine(item.line, (item,))
        elif (plain := read_plain_row(item.text)) is not None:
            row, said = plain
            remember(row, said)
            origin = Provenance(source=shard.name, line=item.number)
            yield ReadLine(Sample(row, origin), item.text)
        else:
            found = parse_unusual_sample(item, shard.name)
            if isinstance(found, Sample):
                yield ReadLine(found)
            else:
                yield BadLine(found[0].line, tuple(found))
