"""How fast a run goes: the remaining time and the tokens per second of its reports."""

import time

from pydantic import JsonValue

__all__ = ["Pace"]


class Pace:
    """Counts from the first step that it sees, so that loading is no part of the pace."""

    def __init__(self) -> None:
        self.tokens_per_step = 0.0
        """Mean over the run; 0 where nobody counted."""
        self._first: tuple[int, float] | None = None

    def fields(self, report: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """Return what the pace adds to a report; nothing at the first one."""
        step, total = report["step"], report["total_steps"]
        assert isinstance(step, int) and isinstance(total, int)
        now = time.monotonic()
        if self._first is None or step <= self._first[0]:
            self._first = self._first or (step, now)
            return {}
        seconds_per_step = (now - self._first[1]) / (step - self._first[0])
        found: dict[str, JsonValue] = {"eta_seconds": round(seconds_per_step * (total - step), 1)}
        if self.tokens_per_step and seconds_per_step:
            found["tokens_per_second"] = round(self.tokens_per_step / seconds_per_step, 1)
        return found
