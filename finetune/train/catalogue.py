"""Base models: what they need, what they are good at, what their licences ask for.

The data is `base_models.yaml`, which carries its date; nothing is looked up at run time.
"""

from datetime import date
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from swarm.errors import UnknownNameError

__all__ = [
    "BaseModelEntry",
    "Catalogue",
    "Licence",
    "WeightShape",
    "base_model",
    "catalogue",
    "recommend",
]


class WeightShape(BaseModel):
    """The sizes of a transformer that its memory follows from."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    parameters: int
    """All weights."""
    layers: int
    hidden: int
    ffn: int
    """Width of the feed-forward layer."""
    heads: int
    kv_heads: int
    vocab: int
    tied: bool = False
    """Whether input and output embeddings are one matrix."""


class Licence(BaseModel):
    """A licence and the duties that come with it; a summary, not legal advice."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str
    terms: tuple[str, ...]
    """What you must do, one duty each."""
    url: str | None = None
    """Where its text is."""
    spellings: tuple[str, ...] = ()
    """What model cards call it besides its key."""
    attribution: str | None = None
    """Words that people must see."""
    name_starts_with: str | None = None
    """How the name of a tuned model begins that others get."""
    notice: str | None = None
    """A line that must go with the weights."""


class BaseModelEntry(BaseModel):
    """One base model of the catalogue."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str
    """Its name here, such as `llama-3.1-8b`."""
    title: str
    repository: str
    """Its id on the Hugging Face hub."""
    unsloth: str
    """The id of Unsloth's four-bit copy there."""
    template: str
    """LLaMA-Factory's name of its chat template."""
    licence: str
    """Key of the catalogue's licences."""
    shape: WeightShape
    strengths: str
    use_cases: tuple[str, ...]
    """What it is a good choice for, best first."""
    retires: date | None = None
    """When its provider withdraws it, where that is known; open weights stay usable."""


class Catalogue(BaseModel):
    """All base models that are known, as of a day."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    as_of: date
    """The day on which the entries were checked."""
    licences: dict[str, Licence]
    models: tuple[BaseModelEntry, ...]

    def licence(self, model: BaseModelEntry) -> Licence:
        """Return the licence of a model."""
        return self.licences[model.licence]


@cache
def catalogue() -> Catalogue:
    """Return the catalogue that this package carries."""
    import yaml

    path = Path(__file__).with_name("base_models.yaml")
    return Catalogue.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def base_model(name: str) -> BaseModelEntry:
    """Return a model by its name, its hub id or its Unsloth id.

    Raises:
        UnknownNameError: The catalogue has none of this name.
    """
    models = catalogue().models
    wanted = name.lower()
    for model in models:
        if wanted in (model.name, model.repository.lower(), model.unsloth.lower()):
            return model
    raise UnknownNameError("base model", name, tuple(model.name for model in models))


def recommend(use_case: str) -> tuple[BaseModelEntry, ...]:
    """Return the models that suit a use case, best first.

    Args:
        use_case: Such as `code`, `laptop`, `multilingual`, `portuguese` or `rag`.

    Raises:
        UnknownNameError: No model is listed for this use case.
    """
    models = [model for model in catalogue().models if use_case in model.use_cases]
    if not models:
        known = sorted({case for model in catalogue().models for case in model.use_cases})
        raise UnknownNameError("use case", use_case, tuple(known))
    return tuple(sorted(models, key=lambda model: model.use_cases.index(use_case)))
