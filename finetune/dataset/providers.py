"""What each provider takes of a training file, beyond the rules that hold everywhere.

A profile is data: limits, and which warnings that provider makes errors of. Where rows have
another layout than OpenAI's, as with Cohere and TRL, `layouts` reads it.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from finetune.dataset.json_text import JsonPath
from finetune.dataset.problem import Finding
from finetune.dataset.rows import (
    AssistantMessage,
    DeveloperMessage,
    DpoRow,
    SftRow,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from finetune.dataset.tokens import RowTokens
from swarm.errors import DataError, suggest

__all__ = ["PROVIDERS", "Layout", "ProviderProfile", "provider_findings", "provider_profile"]

Layout = Literal["openai", "cohere", "trl"]
"""How a provider spells a row."""


class ProviderProfile(BaseModel):
    """What one provider, or one trainer, takes."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str
    layout: Layout = "openai"
    minimum: int = 1
    """Fewest rows."""
    maximum: int | None = None
    """Most rows."""
    large_bytes: int = 150_000_000
    """Above this, plain upload calls fail, some of them silently."""
    max_bytes: int | None = None
    """Above this, there is no way to upload the file."""
    max_turn_tokens: int | None = None
    """Longer messages are dropped by the provider."""
    is_alternating: bool = False
    """Whether user and assistant must take turns."""
    has_weights: bool = True
    """Whether `weight` 0 keeps a message out of the loss."""
    takes_mark: bool = False
    """Whether a byte order mark is usual."""
    errors: frozenset[str] = frozenset()
    """Codes that are warnings elsewhere and errors here."""
    accepts: frozenset[str] = frozenset()
    """Codes that are no findings here."""


PROVIDERS: Final[Mapping[str, ProviderProfile]] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            ProviderProfile(name="openai", minimum=10, errors=frozenset({"output_not_single"})),
            ProviderProfile(
                name="azure",
                minimum=10,
                max_bytes=5_000_000_000,
                takes_mark=True,
                errors=frozenset({"last_message_role"}),
                accepts=frozenset({"output_not_single"}),
            ),
            ProviderProfile(
                name="together",
                is_alternating=True,
                errors=frozenset({"output_not_single", "system_not_first"}),
            ),
            ProviderProfile(
                name="fireworks",
                minimum=3,
                maximum=3_000_000,
                errors=frozenset({"system_not_first"}),
            ),
            ProviderProfile(
                name="cohere",
                layout="cohere",
                minimum=2,
                max_turn_tokens=16_384,
                errors=frozenset({"system_not_first"}),
            ),
            ProviderProfile(
                name="trl",
                layout="trl",
                has_weights=False,
                accepts=frozenset({"output_not_single"}),
            ),
        )
    }
)
"""The profiles by name."""


def provider_profile(provider: ProviderProfile | str) -> ProviderProfile:
    """Return a profile by its name; a profile as it is.

    Raises:
        DataError: No provider has this name.
    """
    if isinstance(provider, ProviderProfile):
        return provider
    if provider not in PROVIDERS:
        hint = suggest(provider, tuple(PROVIDERS)) or f"known: {', '.join(PROVIDERS)}"
        raise DataError(f"no rules of a provider {provider!r}; {hint}")
    return PROVIDERS[provider]


def provider_findings(
    row: SftRow | DpoRow, tokens: RowTokens | None, profile: ProviderProfile
) -> Iterator[Finding]:
    """Yield what this provider does not take of a row that is right elsewhere."""
    path: JsonPath = ("messages",) if isinstance(row, SftRow) else ("input", "messages")
    messages = row.messages if isinstance(row, SftRow) else row.input.messages
    if profile.is_alternating:
        yield from _turns(row, path, profile.name)
    if not profile.has_weights:
        for at, message in enumerate(messages):
            if isinstance(message, AssistantMessage) and message.weight == 0:
                text = f"{profile.name} trains this message although its weight is 0"
                yield Finding("weight_ignored", text, (*path, at, "weight"))
    if profile.max_turn_tokens is not None and tokens is not None:
        # A row of such a provider has no tools, so its parts are its messages, one by one.
        for at, part in enumerate(tokens.parts):
            if part.tokens > profile.max_turn_tokens:
                text = f"about {part.tokens} tokens; above {profile.max_turn_tokens} it is dropped"
                yield Finding("turn_too_long", text, (*path, at))


def _turns(row: SftRow | DpoRow, path: JsonPath, provider: str) -> Iterator[Finding]:
    messages = row.messages if isinstance(row, SftRow) else row.input.messages
    is_users = True
    after_tools = False
    for at, message in enumerate(messages):
        if isinstance(message, SystemMessage | DeveloperMessage):
            continue
        if isinstance(message, ToolMessage):
            after_tools = True
            continue
        # A tool's answer goes back to the assistant, whose turn goes on.
        is_users = is_users and not after_tools
        after_tools = False
        if isinstance(message, UserMessage) != is_users:
            turn = "the user's" if is_users else "the assistant's"
            text = f"{provider} wants user and assistant in turns, and it is {turn} turn here"
            yield Finding("not_alternating", text, (*path, at))
        is_users = isinstance(message, AssistantMessage)
