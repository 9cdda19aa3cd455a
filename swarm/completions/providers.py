"""Which reference prefix is served by which module."""

import importlib
from collections.abc import Callable
from typing import Any

from swarm.completion import Completion
from swarm.errors import DeclarationError, MissingKeyError, suggest
from swarm.extension import Services, add_model_provider
from swarm.reference import ModelReference
from swarm.specs import CompletionSpec

__all__ = ["load_function", "read_key", "register_builtin_providers"]


def register_builtin_providers() -> None:
    """Serve the prefixes of this package."""
    for prefix in ("openai", "azure", "ollama", "llama-server", "vllm"):
        add_model_provider(prefix, _open_openai_compatible)
    add_model_provider("cohere", _open_cohere)
    add_model_provider("litellm", _open_litellm)
    add_model_provider("offline", _open_offline)
    add_model_provider("python", _open_python)


def read_key(
    spec: CompletionSpec, services: Services, default: str, *, is_needed: bool, purpose: str
) -> str | None:
    """Return a provider's key from the environment; nothing else ever reads one.

    Raises:
        MissingKeyError: The variable is not set, and the provider needs a key or the
            declaration names the variable.
    """
    variable = next(iter(spec.key_variables), default)
    key = services.environment.get(variable, "").strip()
    if not key and (is_needed or spec.api_key_env is not None):
        raise MissingKeyError(variable, purpose)
    return key or None


async def _open_openai_compatible(
    reference: ModelReference, spec: CompletionSpec, services: Services
) -> Completion:
    from swarm.completions.openai_compatible import open_openai_compatible

    return open_openai_compatible(reference, spec, services)


async def _open_cohere(
    reference: ModelReference, spec: CompletionSpec, services: Services
) -> Completion:
    from swarm.completions.cohere import open_cohere

    return await open_cohere(reference, spec, services)


async def _open_litellm(
    reference: ModelReference, spec: CompletionSpec, services: Services
) -> Completion:
    from swarm.completions.litellm import open_litellm

    return open_litellm(reference, spec, services)


async def _open_offline(
    reference: ModelReference, spec: CompletionSpec, services: Services
) -> Completion:
    from swarm.completions.offline import OfflineCompletion

    return OfflineCompletion()


async def _open_python(
    reference: ModelReference, spec: CompletionSpec, services: Services
) -> Completion:
    from swarm.completions.callback import CallbackCompletion

    module_name, _, function_name = reference.name.partition(":")
    function = load_function(reference)
    public = getattr(importlib.import_module(module_name), "__public_name__", module_name)
    return CallbackCompletion(function, f"python:{public}:{function_name}")


def load_function(reference: ModelReference) -> Callable[..., Any]:
    """Return the function of a reference `python:module:function`.

    Raises:
        DeclarationError: There is no such module or function.
    """
    module_name, _, function_name = reference.name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as missing:
        raise DeclarationError(f"{reference}: no module named {missing.name!r}") from None
    function = getattr(module, function_name, None)
    if not callable(function):
        hint = suggest(function_name, [name for name in vars(module) if name[0] != "_"])
        text = f"{reference}: {module_name} has no function {function_name!r}"
        raise DeclarationError(text + (f"; {hint}" if hint else ""))
    return function
