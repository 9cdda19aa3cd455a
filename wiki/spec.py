"""The declaration of a wiki, and the kind it brings to a catalog."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from swarm import Callback, Kind, Name, Spec

__all__ = ["WIKIS", "WikiSpec"]


class WikiSpec(Spec):
    """A model that was fine-tuned on your questions and answers, which agents ask by a tool."""

    wiki_name: Name
    """What agents and tools call it."""
    doc_description: str | None = None
    """What the wiki knows; the model that decides whether to ask it reads this."""
    completion: Name | None = None
    """A declared completion that answers."""
    model: str | None = None
    """A model reference that answers, such as `registry/pharma@live` or `gguf/shop.gguf`."""
    get_chat: Callback | None = None
    """A function that answers: `(message: str) -> str`, plain or async."""
    system: str | None = None
    """A system line for the model; a fine-tuned wiki usually needs none."""
    fallback: str | None = None
    """A model reference that answers when the wiki fails or is not sure enough."""
    min_confidence: Annotated[float, Field(gt=0, le=1)] | None = None
    """Below this confidence the fallback is asked."""
    examples: Annotated[Sequence[str], AfterValidator(tuple)] = ()
    """Questions that this wiki is right for."""
    max_tokens: Annotated[int, Field(gt=0)] | None = None
    """The longest answer, in tokens."""
    timeout: Annotated[float, Field(gt=0)] = 60.0
    """Seconds for one question, the fallback included."""

    @model_validator(mode="after")
    def _has_one_source(self) -> "WikiSpec":
        sources = [self.completion, self.model, self.get_chat]
        if sum(source is not None for source in sources) != 1:
            raise ValueError("give exactly one of `completion`, `model` and `get_chat`")
        if self.min_confidence is not None and self.fallback is None:
            raise ValueError("`min_confidence` needs a `fallback` to ask instead")
        return self


WIKIS = Kind("wiki", WikiSpec, "wiki_name")
