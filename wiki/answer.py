"""What a wiki answers: the text, and where it came from."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from swarm import Usage

__all__ = ["WikiAnswer"]


class WikiAnswer(BaseModel):
    """One answer of a wiki."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    text: str
    wiki_name: str
    model: str
    """The reference of the model that answered, with its version where there is one."""
    version: int | None = None
    """The version in the model registry, for a model that came from there."""
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    """Geometric mean of the token probabilities; None when the provider gives none."""
    seconds: Annotated[float, Field(ge=0)]
    """From the question to the answer, the fallback included."""
    usage: Usage = Usage()
    """Of the wiki's model and of its fallback together."""
    is_fallback: bool = False
    """The wiki failed or was not sure enough, so its fallback answered."""
