"""Samples on disk: a training file whose lines may carry their provenance.

A line is a row as it is, or `{"row": ..., "provenance": ...}`. Reading takes both, so every
training file is a file of samples.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from finetune.dataset.json_text import JsonTextError, parse
from finetune.dataset.lines import Line, LineReader
from finetune.dataset.plain import parse_plain_row
from finetune.dataset.problem import DatasetError, Finding, Problem
from finetune.dataset.read import place, problem_of
from finetune.dataset.rows import encode_row
from finetune.dataset.sample import Provenance, Sample
from finetune.dataset.shape import shape_row
from swarm.files import replacing

__all__ = ["encode_sample", "parse_sample", "parse_unusual_sample", "read_samples", "write_samples"]


def encode_sample(sample: Sample) -> bytes:
    """Return the line of a sample without its newline; equal samples give equal bytes.

    Raises:
        ValueError: The row holds NaN, infinity, or text that UTF-8 cannot carry.
    """
    provenance = sample.provenance.model_dump(mode="json")
    if not provenance:
        return encode_row(sample.row)
    text = json.dumps(provenance, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return b'{"row":%b,"provenance":%b}' % (encode_row(sample.row), text.encode("utf-8"))


def parse_sample(line: Line, source: str = "") -> Sample | list[Problem]:
    """Return the sample of a line, or everything that keeps it from being one.

    Args:
        line: The line.
        source: What provenance calls its file, where the line itself does not say.
    """
    plain = parse_plain_row(line.text)
    if plain is not None:
        return Sample(plain, Provenance(source=source, line=line.number))
    return parse_unusual_sample(line, source)


def parse_unusual_sample(line: Line, source: str = "") -> Sample | list[Problem]:
    """Return what `parse_sample` returns; quicker for a line that `parse_plain_row` gave up."""
    origin = Provenance(source=source, line=line.number)
    try:
        value = parse(line.text)
    except JsonTextError as error:
        return [problem_of(line, error)]
    if isinstance(value, dict) and "row" in value:
        try:
            origin = Provenance.model_validate(value.get("provenance", {}))
        except ValidationError as wrong:
            detail = wrong.errors(include_url=False)[0]
            path = ("provenance", *detail["loc"])
            found = Finding("wrong_value", f"`{detail['loc'][-1]}`: {detail['msg']}", path)
            return place(line, [found])
        foreign = sorted(set(value) - {"row", "provenance"})
        if foreign:
            found = Finding(
                "unrecognized_key", f"a sample has no key `{foreign[0]}`", (foreign[0],)
            )
            return place(line, [found._replace(is_at_key=True)])
        shape = shape_row(value["row"])
        if isinstance(shape, list):
            return place(line, [f._replace(path=("row", *f.path)) for f in shape])
        if not origin.source:
            origin = origin.model_copy(update={"source": source, "line": line.number})
        return Sample(shape, origin)
    shape = shape_row(value)
    if isinstance(shape, list):
        return place(line, shape)
    return Sample(shape, origin)


def read_samples(
    path: Path | str, *, on_problem: Callable[[Problem], None] | None = None
) -> Iterator[Sample]:
    """Yield the samples of a file, supervised rows and preferences alike.

    Args:
        path: A JSONL file of rows or samples.
        on_problem: Called for each problem of a line that is no sample, which is then skipped.
            Without it the first such line ends the reading.

    Raises:
        DatasetError: A line is no sample, and there is no `on_problem`.
    """
    path = Path(path)
    for item in LineReader(path):
        found = [item] if isinstance(item, Problem) else parse_sample(item, path.name)
        if isinstance(found, Sample):
            yield found
            continue
        if on_problem is None:
            raise DatasetError(str(path), tuple(found))
        for problem in found:
            on_problem(problem)


def write_samples(path: Path | str, samples: Iterable[Sample]) -> int:
    """Write samples with their provenance, in one step; return how many there were.

    Raises:
        OSError: The file cannot be written; what stood there stays.
        ValueError: A sample cannot be written as JSON.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with replacing(path) as file:
        for sample in samples:
            file.write(encode_sample(sample) + b"\n")
            count += 1
    return count
