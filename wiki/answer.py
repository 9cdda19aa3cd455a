"""What a wiki answers: the text, and where it came from."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from swarm import Usage

__all__ = ["Citation", "Route", "WikiAnswer"]

Route = Literal["local", "complex", "unsure", "failed"]
"""Why who answered: the wiki's own model, or its fallback because the question looked hard, the
model was not sure enough, or it failed."""


class Citation(BaseModel):
    """A passage of a document that an answer was made from."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    number: Annotated[int, Field(ge=1)]
    """What the answer's text calls it, as in `[1]`."""
    path: str
    """The file, relative to the folder of the wiki's documents."""
    title: str
    """The headings above the passage, joined by ` > `; empty where there are none."""
    start: Annotated[int, Field(ge=1)]
    """The first line or page."""
    end: Annotated[int, Field(ge=1)]
    """The last line or page."""
    unit: Literal["line", "page"]
    score: Annotated[float, Field(ge=0, le=1)]
    """Its rank by words and by meaning together; 1 is the first by both."""
    text: str


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
    """How likely the answer is right, for a version of the registry that was calibrated; otherwise
    the geometric mean of the token probabilities. None when the provider gives none."""
    is_calibrated: bool = False
    """Whether `confidence` comes from labelled answers of this version."""
    seconds: Annotated[float, Field(ge=0)]
    """From the question to the answer, the fallback included."""
    usage: Usage = Usage()
    """Of the wiki's model and of its fallback together."""
    citations: tuple[Citation, ...] = ()
    """The passages behind the answer, for a wiki over documents; all of them exist."""
    retrieval: str | None = None
    """What found the passages, such as `wordllama, chroma`: the embedding and the vectors."""
    is_fallback: bool = False
    """The fallback answered; `route` says why."""
    route: Route = "local"
    assigned: str | None = None
    """The version whose turn it was, such as `registry/pharma@3`, while a candidate was tried. The
    answer counts for it, also when the live version or the fallback had to step in."""
    examples: Annotated[int, Field(ge=0)] = 0
    """How many earlier answers the model was shown; see `auto_learn`."""
