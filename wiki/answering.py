"""How one question is answered: by the wiki's own model or its fallback, and how sure that is."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import anyio
import anyio.to_thread

from swarm import CompletionResult, Usage
from swarm.errors import DataError, DeclarationError, ProviderError, ProviderTimeoutError
from swarm.extension import Services
from swarm.functions import observe
from wiki.answer import Route, WikiAnswer
from wiki.calibration import Calibration, read_calibration
from wiki.complexity import complexity_of
from wiki.confidence import read_signals
from wiki.registry import ModelRegistry
from wiki.source import Source
from wiki.spec import WikiSpec

__all__ = ["answer_question"]


async def answer_question(source: Source, swarms: Sequence[str]) -> WikiAnswer:
    """Return a wiki's answer.

    Args:
        source: The question.
        swarms: Whose earlier conversations examples may come from.

    Raises:
        ProviderError: The wiki's model failed, and so did its fallback.
        SetupError: The model lacks a key or an extra.
    """
    spec = source.spec
    if spec.callbacks is not None:
        where = f"wiki {spec.wiki_name!r}"
        await observe(spec.callbacks.on_chat, source.message, spec.wiki_name, place=where)
    tries = _Tries(spec)
    await _show_examples(source, swarms)
    route, result = await _route(source, tries)
    if result is None:
        late = f"no answer within {spec.timeout:g} s"
        raise tries.failure or ProviderTimeoutError(late, provider=f"wiki {spec.wiki_name}")
    sure = await _judge(result, source.services)
    text, citations = source.cite(result)
    return WikiAnswer(
        text=text,
        wiki_name=spec.wiki_name,
        model=result.model,
        version=_version(result.model),
        confidence=sure.confidence,
        is_calibrated=sure.is_calibrated,
        seconds=round(time.monotonic() - tries.started, 6),
        usage=tries.usage,
        citations=citations,
        retrieval=None if source.found is None else source.found.retrieval,
        is_fallback=route != "local",
        route=route,
        assigned=source.assigned,
        examples=len(source.examples) // 2,
    )


class _Tries:
    """What was tried for one question, within its time."""

    def __init__(self, spec: WikiSpec) -> None:
        self.started = time.monotonic()
        self.usage = Usage()
        self.failure: ProviderError | None = None
        self._seconds = spec.timeout
        # A model that hangs must leave time for the other one.
        self._first = spec.timeout if spec.fallback is None else spec.timeout / 2

    async def first(
        self, ask: Callable[[], Awaitable[CompletionResult]]
    ) -> CompletionResult | None:
        """Return an answer, or None when there was none in time or the model failed."""
        try:
            return await self._try(ask, self._first)
        except ProviderError as error:
            self.failure = error
            return None

    async def last(self, ask: Callable[[], Awaitable[CompletionResult]]) -> CompletionResult | None:
        """Return an answer, or None when there was none in time.

        Raises:
            ProviderError: The model failed.
        """
        return await self._try(ask, self._seconds - (time.monotonic() - self.started))

    async def _try(
        self, ask: Callable[[], Awaitable[CompletionResult]], seconds: float
    ) -> CompletionResult | None:
        with anyio.move_on_after(seconds):
            result = await ask()
            self.usage += result.usage
            return result
        return None


async def _route(source: Source, tries: _Tries) -> tuple[Route, CompletionResult | None]:
    spec = source.spec
    if _is_hard(spec, source.message):
        result = await tries.first(lambda: _ask_hard(source))
        if result is not None and result.message.content.strip():
            return "complex", result
        # The wiki's own model may know less, but it is there.
        return "local", await tries.last(source.ask)
    result = await tries.first(source.ask)
    if spec.fallback is None or await _is_good(spec, result, source.services):
        return "local", result
    has_text = result is not None and result.message.content.strip() != ""
    return "unsure" if has_text else "failed", await tries.last(source.ask_fallback)


async def _ask_hard(source: Source) -> CompletionResult:
    await source.retrieve()
    return await source.ask_fallback()


def _is_hard(spec: WikiSpec, message: str) -> bool:
    if spec.route is None or spec.fallback is None:
        return False
    return complexity_of(message, spec.route.hard_words).score > spec.route.max_complexity


async def _is_good(
    spec: WikiSpec, result: CompletionResult | None, services: Services | None
) -> bool:
    """Whether an answer needs no fallback.

    Without any sign of how sure the model is, nobody can tell.
    """
    if result is None or not result.message.content.strip():
        return False
    if spec.min_confidence is None:
        return True
    sure = await _judge(result, services)
    value = sure.confidence if sure.confidence is not None else read_signals(result).estimate
    return value is None or value >= spec.min_confidence


class _Sure(NamedTuple):
    confidence: float | None
    is_calibrated: bool


async def _judge(result: CompletionResult, services: Services | None) -> _Sure:
    """Return how sure an answer is, by the calibration of its version where there is one."""
    signals = read_signals(result)
    calibration = await _calibration(result.model, services)
    calibrated = None if calibration is None else calibration.apply(signals)
    if calibrated is not None:
        return _Sure(calibrated, is_calibrated=True)
    # A phrase alone is no probability, so it is not told as one.
    return _Sure(None if signals.confidence is None else signals.estimate, is_calibrated=False)


async def _calibration(model: str, services: Services | None) -> Calibration | None:
    provider, _, name = model.partition("/")
    if provider != "registry" or services is None:
        return None
    registry = ModelRegistry(services.home / "models")

    def read() -> Calibration | None:
        try:
            return read_calibration(registry.get(name))
        except (DataError, DeclarationError):
            # An answer is worth more than its calibration, whose file may be damaged or removed.
            return None

    return await anyio.to_thread.run_sync(read)


async def _show_examples(source: Source, swarms: Sequence[str]) -> None:
    if source.spec.auto_learn and source.services is not None:
        from wiki.examples import show_examples  # only a wiki that learns pays for it

        source.examples = await show_examples(source, swarms)


def _version(model: str) -> int | None:
    """Return the version that a reference such as `registry/pharma@3` names."""
    provider, _, name = model.partition("/")
    number = name.rpartition("@")[2]
    return int(number) if provider == "registry" and number.isdigit() else None
