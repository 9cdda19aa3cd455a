"""Which models of a program their providers withdraw, and a refusal to spend money on one."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple, cast

from pydantic import BaseModel

from finetune.train.hosted.errors import RetiredError
from swarm import Catalog
from swarm.completions.retired import Retirement, retirement
from swarm.errors import SwarmError
from wiki import ModelRegistry

__all__ = ["RetiredModel", "refuse_retired", "retired_models"]

_SHORTEST_LIFE = 90
_HOSTED = ("openai", "cohere")


class RetiredModel(NamedTuple):
    """A declaration that names a model which ended or ends."""

    where: str
    """The declaration, such as `wiki pharma`."""
    model: str
    """The model; with the version of the registry through which it is asked, if there is one."""
    retirement: Retirement


def retired_models(catalog: Catalog, home: Path | None = None) -> list[RetiredModel]:
    """Return every model of a catalog that ended or ends, wherever a declaration names it.

    All fields are looked at: models, fallbacks, embeddings, judges, trainers and what else takes
    a reference.

    Args:
        catalog: The declarations.
        home: The folder of the state: versions of its registry that a provider hosts are looked
            at as well.
    """
    registry = None if home is None else ModelRegistry(home / "models")
    found: dict[tuple[str, str], RetiredModel] = {}
    for kind in catalog.kinds:
        for spec in catalog.registry(kind):
            where = f"{kind.name} {getattr(spec, kind.key)}"
            for text in _references(spec):
                for model, ends in _endings(text, registry):
                    found.setdefault((where, model), RetiredModel(where, model, ends))
    return list(found.values())


def refuse_retired(
    models: Iterable[str],
    *,
    what: str = "",
    home: Path | None = None,
    days: int = _SHORTEST_LIFE,
    today: date | None = None,
) -> None:
    """Refuse models that are not worth spending money on any more.

    Args:
        models: References such as `openai/gpt-4o-mini` or `registry/pharma@live`; those that
            nothing is known of pass.
        what: What the models are for, for the message: `the judge`.
        home: See `retired_models`.
        days: How long a model must live.
        today: The day to count from; by default this one.

    Raises:
        RetiredError: One of them ended, or ends earlier.
    """
    registry = None if home is None else ModelRegistry(home / "models")
    now = today or datetime.now(UTC).date()
    for text in models:
        for model, ends in _endings(text, registry):
            if (ends.date - now).days < days:
                hint = "choose another model; wikiswarm doctor lists all that end"
                raise RetiredError(f"{what} {model}".strip(), ends.date, ends.detail, hint=hint)


def _endings(text: str, registry: ModelRegistry | None) -> Iterator[tuple[str, Retirement]]:
    if (ends := retirement(text)) is not None:
        yield text, ends
    provider, _, rest = text.partition("/")
    if provider != "registry" or registry is None:
        return
    try:
        version = registry.get(rest)
    except SwarmError:  # whether it can be found is for other checks to say
        return
    if version.remote is not None and (ends := retirement(version.remote)) is not None:
        yield f"{text} ({version.remote})", ends


def _references(value: object, provider: str | None = None) -> Iterator[str]:
    """Yield all texts inside a declaration; a bare model of a hosted back end gets its name."""
    if isinstance(value, str):
        yield value
        if provider is not None and "/" not in value:
            yield f"{provider}/{value}"
    elif isinstance(value, BaseModel):
        names = type(value).model_fields
        yield from _references({name: getattr(value, name) for name in names})
    elif isinstance(value, Mapping):
        fields = cast("Mapping[object, object]", value)
        backend = fields.get("backend")
        inner = backend if isinstance(backend, str) and backend in _HOSTED else None
        for field in fields.values():
            yield from _references(field, inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in cast("Iterable[object]", value):
            yield from _references(item, provider)
