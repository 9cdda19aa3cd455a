"""When something is due: `7 days`, or the five fields of cron, in UTC."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

__all__ = ["check_schedule", "next_time", "tolerance"]

_EVERY = re.compile(r"(?:every\s+)?(\d{1,4})\s*(minute|hour|day|week)s?")
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_PART = re.compile(r"(\*|\d{1,2}(?:-\d{1,2})?)(?:/(\d{1,2}))?")
_FARTHEST = timedelta(days=5 * 366)
"""A day such as 29 February comes in four years, or never, like 31 February."""


def check_schedule(text: str) -> None:
    """Raise unless a text is a schedule that is due some day.

    Raises:
        ValueError: It is none.
    """
    next_time(text, datetime(2026, 1, 1, tzinfo=UTC))


def next_time(text: str, after: datetime) -> datetime:
    """Return when something that was done at a time is due again.

    Args:
        text: `90 minutes`, `12 hours`, `7 days`, `2 weeks`, or `minute hour day month weekday` as
            in cron: `0 3 * * 1` is each Monday at three. Where day and weekday are both given,
            either will do.
        after: When it was done last, with its time zone.

    Raises:
        ValueError: It is no schedule.
    """
    after = after.astimezone(UTC)
    if every := _EVERY.fullmatch(text.strip().lower()):
        span = timedelta(**{f"{every[2]}s": int(every[1])})
        if not span:
            raise ValueError(f"{text!r} is no time between two rounds")
        return after + span
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"{text!r} is neither like `7 days` nor five fields like `0 3 * * 1`")
    minutes, hours, days, months, weekdays = (
        _values(field, *known) for field, known in zip(fields, _FIELDS, strict=True)
    )
    weekdays = {day % 7 for day in weekdays}
    either = fields[2] != "*" and fields[4] != "*"
    for day in _days_from(after):
        fits = (day.day in days, day.isoweekday() % 7 in weekdays)
        if day.month not in months or not (any(fits) if either else all(fits)):
            continue
        for hour in sorted(hours):
            for minute in sorted(minutes):
                found = day.replace(hour=hour, minute=minute)
                if found > after:
                    return found
    raise ValueError(f"{text!r} is on no day of any year")


def tolerance(text: str) -> timedelta:
    """Return how much earlier than `next_time` a look may find something due.

    Who looks once a week does so at the same second, and what was done last began a moment after.
    """
    every = _EVERY.fullmatch(text.strip().lower())
    if every is None:
        return timedelta()
    return min(timedelta(minutes=5), timedelta(**{f"{every[2]}s": int(every[1])}) / 100)


def _days_from(after: datetime) -> Iterator[datetime]:
    day = after.replace(hour=0, minute=0, second=0, microsecond=0)
    end = day + _FARTHEST
    while day < end:
        yield day
        day += timedelta(days=1)


def _values(field: str, name: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is no {name} of a schedule")
        span, step = match[1], int(match[2] or 1)
        first, _, last = span.partition("-")
        start = low if span == "*" else int(first)
        end = high if span == "*" or (match[2] and not last) else int(last or first)
        if not (low <= start <= end <= high) or step < 1:
            raise ValueError(f"{part!r} is no {name} from {low} to {high}")
        found.update(range(start, end + 1, step))
    return found
