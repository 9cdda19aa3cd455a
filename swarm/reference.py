"""Model references: `provider/model`, the one way to name a model anywhere.

`openai/gpt-5`, `ollama/llama3.2`, `gguf/models/shop.gguf`, `registry/pharma@live`,
`python:module:function`, and the bare word `offline`.
"""

from typing import NamedTuple

from swarm.errors import DeclarationError

__all__ = ["ModelReference", "parse_reference"]


class ModelReference(NamedTuple):
    """A parsed reference."""

    provider: str
    name: str
    """What the provider calls the model; may itself contain slashes and colons."""

    def __str__(self) -> str:
        if self.provider == "python":
            return f"python:{self.name}"
        return f"{self.provider}/{self.name}" if self.name else self.provider


def parse_reference(text: str) -> ModelReference:
    """Split a reference into its provider and the provider's name for the model.

    Raises:
        DeclarationError: It has no provider, or no model.
    """
    if text == "offline":
        return ModelReference("offline", "")
    if text.startswith("python:"):
        module, _, function = text.removeprefix("python:").partition(":")
        if not module or not function:
            raise DeclarationError(f"{text!r} should read python:module:function")
        return ModelReference("python", f"{module}:{function}")
    provider, slash, name = text.partition("/")
    if not slash or not provider or not name:
        raise DeclarationError(f"{text!r} is no model reference; write provider/model")
    return ModelReference(provider, name)
