"""One piece of work as a span and a duration: it begins, it may have a result, it ends.

Nothing that OpenTelemetry, or a processor of the program, raises reaches the work.
"""

import logging
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec

from swarm.errors import SwarmError
from swarm.telemetry.names import Names

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

__all__ = ["Quiet", "Work", "error_type"]

P = ParamSpec("P")

_log = logging.getLogger("wikiswarm")


class Quiet:
    """A `with` block that logs what is raised in it, the first time, and goes on."""

    def __init__(self) -> None:
        self._has_complained = False

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        if not self._has_complained:
            self._has_complained = True
            _log.warning("telemetry failed, and is not reported again", exc_info=error)
        return True


class Work(Generic[P]):
    """A context manager around the work; gives the function that takes its result."""

    def __init__(
        self,
        quiet: Quiet,
        start: "Callable[[], tuple[Span, Context]]",
        finish: "Callable[Concatenate[Span, P], str | None]",
        record: Callable[[float, str | None], None],
        describe: Callable[[BaseException], str | None],
    ) -> None:
        """Describe the work.

        Args:
            quiet: Takes what the others raise.
            start: Returns the span, and the context that the work runs in.
            finish: Adds the result to the span; returns the type of error that it is, if it is.
            record: Takes the duration in seconds and the type of error.
            describe: Returns what may be said of an error.
        """
        self._quiet, self._start, self._finish = quiet, start, finish
        self._record, self._describe = record, describe
        self._span: Span | None = None
        self._token: Token[Context] | None = None
        self._began = 0.0
        self._error: str | None = None

    def __enter__(self) -> Callable[P, None]:
        self._began = time.perf_counter()
        with self._quiet:
            from opentelemetry import context

            self._span, inner = self._start()
            self._token = context.attach(inner)
        return self._take_result

    def _take_result(self, *args: P.args, **keywords: P.kwargs) -> None:
        with self._quiet:
            if self._span is not None:
                self._error = self._finish(self._span, *args, **keywords)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        seconds = time.perf_counter() - self._began
        said: str | None = None
        if error is not None:
            self._error = error_type(error)
        with self._quiet:
            if self._token is not None:
                from opentelemetry import context

                context.detach(self._token)
        with self._quiet:
            if error is not None:
                said = self._describe(error)
            if self._span is not None and self._error is not None:
                from opentelemetry.trace import StatusCode

                self._span.set_attribute(Names.ERROR, self._error)
                self._span.set_status(StatusCode.ERROR, said)
        with self._quiet:
            if self._span is not None:
                self._span.end()
        with self._quiet:
            self._record(seconds, self._error)


def error_type(error: BaseException) -> str:
    """Return the name of an error's class that traces are grouped by: its code if it has one."""
    if isinstance(error, SwarmError):
        return error.code
    kind = type(error)
    if kind.__name__ in ("CancelledError", "GeneratorExit"):
        return "cancelled"
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
