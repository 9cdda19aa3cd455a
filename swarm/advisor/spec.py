"""The declaration of an advisor, and the kind it brings to a catalog."""

from typing import Annotated

from pydantic import Field, model_validator

from swarm.fields import Callback, Lines, Name, Spec
from swarm.registry import Kind

__all__ = ["ADVISORS", "AdvisorCallbacks", "AdvisorSpec"]


class AdvisorCallbacks(Spec):
    """Functions that hear of an advisor."""

    on_chat: Callback | None = None
    """`(message)`, before the advisor is asked."""
    on_result: Callback | None = None
    """`(result_id, content)`, when it has answered."""


class AdvisorSpec(Spec):
    """Something that answers one message at a time: a function, or a model."""

    advisor_name: Name
    """What `ask` calls it."""
    get_chat: Callback | None = None
    """A function `(message) -> str`; the message is whatever `ask` was given."""
    completion: Name | None = None
    """The name of a declared completion that answers; it may not have `json_mode: true`."""
    model: str | None = None
    """A model reference that answers, such as `openai/gpt-5` or `gguf/shop.gguf`."""
    system: Lines = ()
    """System lines for the model."""
    timeout: Annotated[float, Field(gt=0)] = 60.0
    """Seconds for one answer."""
    callbacks: AdvisorCallbacks | None = None
    """Functions that are told of questions and answers."""
    doc_description: str | None = None
    """What it is for, in the generated documentation."""

    @model_validator(mode="after")
    def _has_one_source(self) -> "AdvisorSpec":
        sources = [self.get_chat, self.completion, self.model]
        if sum(source is not None for source in sources) != 1:
            raise ValueError("give exactly one of `get_chat`, `completion` and `model`")
        if self.get_chat is not None and self.system:
            raise ValueError("`system` is for a `completion` or a `model`")
        return self


ADVISORS = Kind("advisor", AdvisorSpec, "advisor_name")
