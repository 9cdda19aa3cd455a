"""`dataset show`: what is in a dataset version or a training file."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bindings.cli.options import HomeOption, JsonOption, resolve_home
from bindings.cli.output import command, counted, done, print_json

if TYPE_CHECKING:
    from finetune.dataset.sample import Sample

__all__ = ["show"]

_SHORT = 200


@command
def show(
    source: Annotated[
        str, typer.Argument(help="A file, or the name of a version.", show_default=False)
    ],
    rows: Annotated[int, typer.Option(help="Rows to show.", min=0)] = 3,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the first rows, the counts, and where the rows came from."""
    path = Path(source)
    shown = _file(path, rows) if path.is_file() else _version(resolve_home(home), source, rows)
    if as_json:
        print_json(shown)
        return
    for key in ("id", "path", "kind", "train", "valid", "removed", "rows"):
        if key in shown:
            done(f"{key:<9}{shown[key]}")
    for place in shown["sources"]:
        project = f" (project {place['project']})" if place["project"] else ""
        done(f"source   {place['source']}{project}: {counted(place['rows'], 'row')}")
    for label, count in shown["labels"].items():
        done(f"label    {label}: {counted(count, 'row')}")
    for number, one in enumerate(shown["first"], start=1):
        done(f"row {number}  {_origin(one['provenance'])}")
        for message in one["messages"]:
            text = " ".join((message["content"] or "").split())
            done(f"  {message['role']:<10}{text[:_SHORT]}{'…' if len(text) > _SHORT else ''}")


def _file(path: Path, rows: int) -> dict[str, Any]:
    from collections import Counter

    from finetune.dataset.sample_file import read_samples

    first: list[Sample] = []
    sources: Counter[tuple[str, str | None]] = Counter()
    labels: Counter[str] = Counter()
    count = 0
    for sample in read_samples(path):
        count += 1
        origin = sample.provenance
        sources[origin.source, origin.project] += 1
        if origin.label is not None:
            labels[origin.label] += 1
        if count <= rows:
            first.append(sample)
    return {
        "path": str(path),
        "rows": count,
        "sources": [
            {"source": source, "project": project, "rows": number}
            for (source, project), number in sources.items()
        ],
        "labels": dict(labels),
        "first": [_row(sample) for sample in first],
    }


def _version(home: Path, name: str, rows: int) -> dict[str, Any]:
    from finetune.dataset.sample_file import read_samples
    from finetune.dataset.versions import read_origins, verify

    version = verify(home / "datasets", name)
    manifest = version.manifest
    origins = [origin.provenance for origin in islice(read_origins(version), rows)]
    first = list(islice(read_samples(version.train), rows))
    return {
        "id": version.id,
        "path": str(version.path),
        "kind": manifest.kind,
        "train": manifest.train_rows,
        "valid": manifest.valid_rows,
        "removed": manifest.file("removed.jsonl").lines,
        "sources": [source.model_dump() for source in manifest.sources],
        "labels": dict(manifest.labels),
        "first": [
            _row(sample._replace(provenance=origin))
            for sample, origin in zip(first, origins, strict=False)
        ],
    }


def _row(sample: "Sample") -> dict[str, Any]:
    from finetune.dataset.rules import plain_text
    from finetune.dataset.sample import messages_of

    return {
        "id": sample.id,
        "provenance": sample.provenance.model_dump(mode="json"),
        "messages": [
            {
                "role": message.role,
                "content": plain_text(message.content) or _calls(message),
            }
            for message in messages_of(sample.row)
        ],
    }


def _calls(message: Any) -> str:
    calls = getattr(message, "tool_calls", None) or ()
    return ", ".join(f"calls {call.function.name}({call.function.arguments})" for call in calls)


def _origin(provenance: dict[str, Any]) -> str:
    names = ("source", "line", "project", "run_id", "client_id", "agent_name", "rating")
    return " ".join(f"{name}={provenance[name]}" for name in names if provenance.get(name))
