"""Outlines for readers: which document a model fills in, and what makes it valid."""

from collections.abc import Iterator

from declarative.describe.shape import fields_table
from declarative.describe.words import about_function, answers, bullets, by_function, seconds
from declarative.describe.writer import Writer, heading
from swarm.json_schema import read_format
from swarm.outline import OutlineSpec

__all__ = ["outline_blocks"]


def outline_blocks(writer: Writer, spec: OutlineSpec) -> Iterator[str]:
    """Yield the blocks about an outline."""
    yield writer.title("Outline", spec.outline_name)
    if spec.doc_description:
        yield writer.text(spec.doc_description)
    yield bullets([*_facts(writer, spec)])
    yield heading(writer.level + 1, "Fields of the document")
    yield _fields(writer, spec)
    if spec.validations:
        yield heading(writer.level + 1, "Checks")
        yield "A document has to pass these, in this order:"
        yield "\n".join(f"1. {about_function(writer, check)}" for check in spec.validations)
    yield from _instructions(writer, spec)


def _facts(writer: Writer, spec: OutlineSpec) -> Iterator[tuple[str, str]]:
    yield "Filled in by", answers(writer, spec.completion)
    if spec.max_attempts == 1:
        attempts = "one"
    else:
        attempts = f"at most {spec.max_attempts}; each time the model is told what was wrong"
    yield "Attempts", attempts
    yield "Time for all of them", f"at most {seconds(spec.timeout)}"
    if spec.get_outline_history is not None:
        yield "What is asked comes from", by_function(writer, spec.get_outline_history)


def _fields(writer: Writer, spec: OutlineSpec) -> str:
    try:
        schema = read_format(spec.format).schema
    except ValueError as wrong:
        return f"The fields cannot be shown: {writer.text(str(wrong))}"
    return fields_table(writer, schema) or "Any fields."


def _instructions(writer: Writer, spec: OutlineSpec) -> Iterator[str]:
    lines = [spec.prompt] if isinstance(spec.prompt, str) and spec.prompt else []
    if not callable(spec.system):
        lines += [spec.system] if isinstance(spec.system, str) else list(spec.system)
    functions = [part for part in (spec.prompt, spec.system) if callable(part)]
    if lines:
        yield "The model's instructions:"
        yield writer.fence("\n".join(lines))
    for function in functions:
        yield f"Instructions come from {by_function(writer, function)}"
