"""`add_outline` and its like, and what `validate` says of outlines."""

from collections.abc import Iterator

from swarm.catalog import Catalog
from swarm.declare import declarer, getter, override
from swarm.errors import Problem, unknown_name
from swarm.extension import add_check
from swarm.json_schema import find_reference_problems, find_schema_problems, read_format
from swarm.outline.spec import OUTLINES, OutlineSpec

__all__ = [
    "add_outline",
    "find_outline_problems",
    "get_outline",
    "outline_problems",
    "override_outline",
]

add_outline = declarer(OUTLINES, OutlineSpec)
get_outline = getter(OUTLINES)
override_outline = override(OUTLINES)


def find_outline_problems(catalog: Catalog) -> Iterator[Problem]:
    """Find outlines that cannot be filled in."""
    for outline in catalog.registry(OUTLINES):
        yield from outline_problems(outline, catalog)


def outline_problems(spec: OutlineSpec, catalog: Catalog) -> Iterator[Problem]:
    """Find what keeps one outline from being filled in."""
    where = f"outlines.{spec.outline_name}"
    if spec.completion not in catalog.completions:
        known = catalog.completions.names
        yield unknown_name(f"{where}.completion", "completion", spec.completion, known)
    elif catalog.completions.get(spec.completion).json_mode is False:
        message = f"completion {spec.completion!r} is for agents only: `json_mode: false`"
        hint = "name another completion, or leave `json_mode` out to use it for both"
        yield Problem(message, f"{where}.completion", hint=hint)
    try:
        schema = read_format(spec.format).schema
    except ValueError as wrong:
        yield Problem(str(wrong), f"{where}.format")
        return
    found = list(find_schema_problems(schema)) or find_reference_problems(schema)
    for path, message in found:
        yield Problem(message, f"{where}.format{path}")


add_check(find_outline_problems)
