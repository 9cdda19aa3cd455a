"""The outcome of a conformance suite."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import cast

import anyio

__all__ = ["CaseResult", "ConformanceError", "Report", "expect", "run_cases"]


class ConformanceError(AssertionError):
    """An implementation does not do what its protocol promises."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case went."""

    name: str
    promise: str
    """What the case shows, in a sentence."""
    error: str | None
    """What happened instead; None when the promise is kept."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """How all cases went, in their order."""

    results: tuple[CaseResult, ...]

    @property
    def is_conformant(self) -> bool:
        """Whether every promise is kept."""
        return not self.failures

    @property
    def failures(self) -> tuple[CaseResult, ...]:
        """The cases that failed."""
        return tuple(result for result in self.results if result.error is not None)

    def raise_failures(self) -> None:
        """Do nothing when every promise is kept.

        Raises:
            ConformanceError: Some are not; names each.
        """
        if self.failures:
            lines = [f"  {r.name}: {r.promise}\n    {r.error}" for r in self.failures]
            count = f"{len(lines)} of {len(self.results)} cases failed"
            raise ConformanceError("\n".join([count, *lines]))


def expect(is_kept: bool, said: str) -> None:
    """Raise `ConformanceError` unless a promise is kept."""
    if not is_kept:
        raise ConformanceError(said)


async def run_cases(
    cases: Mapping[str, Callable[[], Awaitable[None]]],
    promises: Mapping[str, str],
    *,
    seconds: float,
) -> Report:
    """Run cases one after the other; a case that hangs or raises anything has failed."""
    results: list[CaseResult] = []
    for name, case in cases.items():
        started, error = time.monotonic(), None
        try:
            with anyio.fail_after(seconds):
                await case()
        except TimeoutError:
            error = f"no end after {seconds:g} s"
        except Exception as wrong:
            error = _describe(wrong)
        took = time.monotonic() - started
        results.append(CaseResult(name, promises[name], error, took))
    return Report(tuple(results))


def _describe(error: Exception) -> str:
    # A task group wraps what its tasks raised.
    if isinstance(error, ExceptionGroup):
        group = cast("ExceptionGroup[Exception]", error)  # the check alone leaves its type open
        return "; ".join(map(_describe, group.exceptions))
    kind = "" if isinstance(error, ConformanceError) else f"{type(error).__name__}: "
    return f"{kind}{error}"
