"""The declaration of a wiki, and the kind it brings to a catalog."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

from swarm import Callback, Kind, Name, Spec
from swarm.errors import DeclarationError
from swarm.memory import EmbeddingSpec
from swarm.specs import Lines
from wiki.groups import GroupName
from wiki.loop_spec import LoopSpec
from wiki.registry.reference import LIVE, parse_version_reference

__all__ = [
    "WIKIS",
    "CandidateSpec",
    "RouteSpec",
    "WatchSignal",
    "WatchSpec",
    "WikiCallbacks",
    "WikiSpec",
]

WatchSignal = Literal["ratings", "length", "refusals", "confidence", "questions"]
"""What of a wiki can move."""


class WikiCallbacks(Spec):
    """Functions that hear of a wiki; one that raises is written to the log."""

    on_chat: Callback | None = None
    """`(message, wiki_name)`, before the wiki is asked, by an agent or by `ask`."""


class RouteSpec(Spec):
    """Which questions go to a wiki's fallback at once, because they look hard."""

    max_complexity: Annotated[float, Field(ge=0, le=1)] = 0.5
    """How hard a question may look for the wiki's own model: 0 is short and plain, 1 is long or has
    code, maths, several parts or a need for tools."""
    hard_words: Annotated[Sequence[str], AfterValidator(tuple)] = ()
    """Words and phrases that make any question a hard one."""


class CandidateSpec(Spec):
    """A new version that some clients are answered by, so that people can compare it."""

    share: Annotated[float, Field(gt=0, lt=1)]
    """The share of clients that the model's version `@candidate` answers, from 0 to 1: the same
    clients every time. While there is no candidate, and where it fails, the live version does."""


class WatchSpec(Spec):
    """How a wiki in service is watched, and what is done when its answers get worse."""

    on_alarm: Literal["report", "rollback", "loop"] = "report"
    """`report` tells it, `rollback` puts the previous version of the registry back into service,
    `loop` starts the training of the next one."""
    act_on: Annotated[Sequence[WatchSignal], AfterValidator(tuple), Field(min_length=1)] = (
        "ratings",
    )
    """Which alarms `rollback` and `loop` answer to; the others are told: `ratings`, `length`,
    `refusals`, `confidence`, `questions`."""
    window: Annotated[int, Field(ge=50, le=1000)] = 100
    """How many ratings or answers are learnt from before the first comparison, and how many
    questions are compared together."""
    false_alarms: Annotated[float, Field(gt=0, le=0.5)] = 0.025
    """The share of wikis without any change that may raise an alarm within 5,000 ratings, and once
    more for the other signals together within 5,000 answers."""
    baseline: Annotated[float, Field(gt=1, le=5)] | None = None
    """The mean rating that there should be, taken as exact; without it ratings are compared with
    those before, also with those of the version before."""
    per_client: Annotated[int, Field(gt=0)] = 5
    """How many ratings of one client count on one day, so that nobody speaks for all."""
    signals: bool = True
    """Watch also what needs no ratings: length, refusals, confidence and questions."""
    embedding: str | None = None
    """What compares questions: `wordllama`, `hash` or the reference of an embedding model;
    wordllama where it is installed, otherwise hashed words."""

    @field_validator("embedding")
    @classmethod
    def _makes_vectors(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                EmbeddingSpec(embedding_name="watch", model=name)
            except ValidationError as wrong:
                # Without the field of the other declaration, which nobody wrote here.
                raise ValueError(wrong.errors()[0]["msg"].removeprefix("Value error, ")) from None
        return name


class WikiSpec(Spec):
    """A model that was fine-tuned on your questions and answers, or documents, asked by a tool."""

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
    documents: Lines = ()
    """Files, folders and globs (Markdown, text, HTML, PDF) that answer with their best passages, or
    that `completion` or `model` answers from."""
    documents_root: str | None = None
    """The folder that `documents` are relative to and do not leave; the working folder when absent,
    in YAML the document's own folder or one below it."""
    embedding: str | None = None
    """A declared embedding, `wordllama`, `hash` or `python:module:function`; wordllama where it is
    installed, otherwise hashed parts of words."""
    vectors: Literal["chroma", "exact"] | None = None
    """Where vectors are searched; an embedded Chroma where it is installed, otherwise exactly."""
    passages: Annotated[int, Field(gt=0, le=50)] = 4
    """How many passages an answer is made from."""
    system: str | None = None
    """A system line for the model; a fine-tuned wiki usually needs none."""
    fallback: str | None = None
    """A model reference that answers when the wiki fails or is not sure enough."""
    min_confidence: Annotated[float, Field(gt=0, le=1)] | None = None
    """Below this confidence the fallback is asked."""
    route: RouteSpec | None = None
    """Hard questions go to the fallback at once; the model answers the others."""
    candidate: CandidateSpec | None = None
    """Some clients are answered by the version `@candidate` of a `model` that is
    `registry/NAME@live`."""
    groups: Annotated[Sequence[GroupName], AfterValidator(tuple)] = ()
    """Only processes of these groups (`WIKISWARM_GROUPS`) may ask the wiki's own model; elsewhere
    the fallback answers."""
    auto_learn: bool = False
    """Answers that people rated 4 or 5, or corrected, are shown to the model with questions like
    theirs."""
    max_examples: Annotated[int, Field(gt=0, le=20)] = 3
    """How many such answers a question is shown with."""
    max_example_tokens: Annotated[int, Field(gt=0)] = 500
    """How long they may be together, in tokens."""
    examples: Annotated[Sequence[str], AfterValidator(tuple)] = ()
    """Questions that this wiki is right for."""
    max_tokens: Annotated[int, Field(gt=0)] | None = None
    """The longest answer, in tokens."""
    timeout: Annotated[float, Field(gt=0)] = 60.0
    """Seconds for one question, the fallback included."""
    watch: WatchSpec | None = None
    """How `wikiswarm watch` judges it, and what it does then; the defaults when absent."""
    callbacks: WikiCallbacks | None = None
    """Functions that are told of questions."""
    loop: LoopSpec | None = None
    """How the next version of its model is made, and when; see `wikiswarm loop`."""

    @field_validator("documents")
    @classmethod
    def _stay_inside(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        # The readers are loaded by programs that have documents, and by no others.
        from wiki.documents.sources import check_pattern

        for pattern in patterns:
            check_pattern(pattern)
        return patterns

    @model_validator(mode="after")
    def _has_one_source(self) -> "WikiSpec":
        sources = [self.completion, self.model, self.get_chat]
        count = sum(source is not None for source in sources)
        if self.documents:
            if self.get_chat is not None or count > 1:
                raise ValueError("`documents` go alone or with one of `completion` and `model`")
        elif count != 1:
            raise ValueError("give exactly one of `completion`, `model` and `get_chat`")
        elif {"documents_root", "embedding", "vectors", "passages"} & self.model_fields_set:
            raise ValueError("`embedding` and the like say how to search `documents`; give those")
        if self.min_confidence is not None and self.fallback is None:
            raise ValueError("`min_confidence` needs a `fallback` to ask instead")
        if self.route is not None and self.fallback is None:
            raise ValueError("`route` needs a `fallback` for hard questions")
        if self.candidate is not None and not _is_live(self.model):
            raise ValueError("`candidate` needs `model: registry/NAME@live` to be compared with")
        if self.groups and self.model is None and self.completion is None:
            raise ValueError("`groups` limit who may ask a `model` or `completion`; give one")
        if not self.auto_learn and {"max_examples", "max_example_tokens"} & self.model_fields_set:
            raise ValueError("`max_examples` and the like limit `auto_learn`; set that to true")
        if self.auto_learn and self.get_chat is not None:
            raise ValueError("`auto_learn` needs a model to show examples to, and no `get_chat`")
        return self


def _is_live(model: str | None) -> bool:
    """Whether a reference is the live version of a model in the registry."""
    provider, _, name = (model or "").partition("/")
    try:
        return provider == "registry" and parse_version_reference(name).alias == LIVE
    except DeclarationError:
        return False


WIKIS = Kind("wiki", WikiSpec, "wiki_name")
