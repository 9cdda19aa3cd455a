"""A circuit breaker: after failures in a row a model is left alone, then tried with one call.

Closed, every call may go. Open, none may until the cool-down is over. Then one call is the probe:
its answer closes the circuit, its failure opens it again.
"""

import logging
import time
from collections.abc import Callable

from swarm.completions.errors import CircuitOpenError

__all__ = ["Breaker"]

_log = logging.getLogger("wikiswarm")


class Breaker:
    """What is known of the health of one model; every completion of the model shares it."""

    def __init__(
        self,
        model: str,
        *,
        failures: int,
        cooldown: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Describe a closed circuit.

        Args:
            model: The reference, for messages.
            failures: Failures in a row that open it.
            cooldown: Seconds that it then stays open.
            clock: Returns seconds; only their differences count.
        """
        self._model = model
        self._limit = failures
        self._cooldown = cooldown
        self._clock = clock
        self._count = 0
        self._opened: float | None = None
        self._is_probing = False

    @property
    def is_open(self) -> bool:
        """Whether the model is left alone, or a probe has yet to show that it is back."""
        return self._opened is not None

    def admit(self) -> bool:
        """Let a call pass and say whether it is the probe; `left` must follow, whatever happens.

        Raises:
            CircuitOpenError: The model is left alone.
        """
        if self._opened is None:
            return False
        wait = self._opened + self._cooldown - self._clock()
        if wait > 0:
            text = f"circuit open after {self._count} failures, next try in {wait:.1f} s"
            raise CircuitOpenError(text, provider=self._model, retry_after=wait)
        if self._is_probing:
            text = "circuit open, a call is trying whether the model is back"
            raise CircuitOpenError(text, provider=self._model)
        self._is_probing = True
        return True

    def answered(self) -> None:
        """Note that the model answered, if only to refuse."""
        if self._opened is not None:
            _log.warning("%s: circuit closed, it answers again", self._model)
            self._opened = None
        self._count = 0

    def failed(self) -> None:
        """Note a failure that is the model's own."""
        self._count += 1
        if self._count < self._limit:
            return
        if self._opened is None:
            text = "%s: circuit open after %d failures, next try in %g s"
            _log.warning(text, self._model, self._count, self._cooldown)
        self._opened = self._clock()

    def left(self, is_probe: bool) -> None:
        """Note that a call is over; when it was the probe, another may be."""
        if is_probe:
            self._is_probing = False
