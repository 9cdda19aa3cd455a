"""A new version beside the live one: which clients it answers, and what happens when it fails.

A client belongs to the share by a hash of its id, so it is answered by the same version every
time, in every process, and a larger share keeps everybody that a smaller one had.
"""

import hashlib
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import anyio
import anyio.to_thread

from swarm import CompletionResult
from swarm.errors import DataError, DeclarationError, SwarmError
from swarm.extension import Services
from wiki.registry import ModelRegistry, parse_version_reference
from wiki.registry.reference import CANDIDATE, LIVE
from wiki.spec import WikiSpec

__all__ = ["Trial", "ask_candidate", "find_trial", "is_in_share"]

_log = logging.getLogger(__name__)


class Trial(NamedTuple):
    """Whose turn one question is, while a candidate stands beside the live version."""

    reference: str
    """The version, such as `registry/pharma@3`."""
    is_candidate: bool


def is_in_share(wiki_name: str, client_id: str, share: float) -> bool:
    """Whether a client belongs to the given share, from 0 to 1, of a wiki's clients."""
    digest = hashlib.sha256(f"{wiki_name}\0{client_id}".encode(errors="replace")).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


async def find_trial(
    spec: WikiSpec, client_id: str | None, services: Services | None
) -> Trial | None:
    """Return whose turn a client's question is; None while there is no candidate to try.

    Args:
        spec: The wiki.
        client_id: Who asks; nobody in particular is answered by the live version.
        services: Where the model registry is.
    """
    if spec.candidate is None or spec.model is None or client_id is None or services is None:
        return None
    name = parse_version_reference(spec.model.removeprefix("registry/")).name
    registry = ModelRegistry(services.home / "models")
    is_candidate = is_in_share(spec.wiki_name, client_id, spec.candidate.share)

    def look() -> Trial | None:
        try:
            live = str(registry.get(name))
            new = str(registry.get(f"{name}@{CANDIDATE}"))
        except DeclarationError:
            # Nothing is live, or on trial.
            return None
        except DataError:
            # A damaged version is told to whoever asks it: it fails when it is to be loaded.
            live, new = f"{name}@{LIVE}", f"{name}@{CANDIDATE}"
        if live == new:
            return None
        return Trial(f"registry/{new if is_candidate else live}", is_candidate)

    return await anyio.to_thread.run_sync(look)


async def ask_candidate(
    ask: Callable[[], Awaitable[CompletionResult]],
    trial: Trial,
    spec: WikiSpec,
    services: Services | None,
) -> CompletionResult | None:
    """Return what the candidate answers, or None when the live version has to.

    A candidate may fail in any way. It is on trial: who asks gets an answer all the same, and the
    first failure of a version is written to the log.
    """
    # Half of what the wiki's own model has, so that the live version has time left.
    seconds = spec.timeout / (2 if spec.fallback is None else 4)
    reason = f"no answer within {seconds:g} s"
    try:
        with anyio.move_on_after(seconds):
            result = await ask()
            if result.message.content.strip():
                return result
            reason = "its answer was empty"
    except SwarmError as error:
        reason = str(error)
    if await _is_first(trial, services):
        text = "%s: the candidate %s failed and the live version answers: %s"
        _log.error(text, spec.wiki_name, trial.reference, reason)
    return None


async def _is_first(trial: Trial, services: Services | None) -> bool:
    if services is None:
        return True

    async def start() -> tuple[set[str], Callable[[], Awaitable[None]]]:
        return set(), _nothing

    told = await services.shared("failed candidates", start)
    is_first = trial.reference not in told
    told.add(trial.reference)
    return is_first


async def _nothing() -> None:
    """Stop what needs no stopping."""
