"""When something is due."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from wiki.schedule import check_schedule, next_time, tolerance

WEDNESDAY = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


@pytest.mark.requirement("S1-17", "S0-40")
@pytest.mark.parametrize(
    ("schedule", "due"),
    [
        ("7 days", "2026-12-02 09:30"),
        ("every 1 week", "2026-12-02 09:30"),
        ("90 minutes", "2026-11-25 11:00"),
        ("*/15 * * * *", "2026-11-25 09:45"),
        ("0 3 * * *", "2026-11-26 03:00"),
        ("0 3 * * 1", "2026-11-30 03:00"),
        ("0 3 * * 7", "2026-11-29 03:00"),
        ("0 0 1 */3 *", "2027-01-01 00:00"),
        ("30 9 25 11 *", "2027-11-25 09:30"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
        ("0 12 1 * 5", "2026-11-27 12:00"),
        ("5,10 8-10 * * *", "2026-11-25 10:05"),
    ],
)
def test_the_next_time_of_a_schedule(schedule: str, due: str) -> None:
    assert next_time(schedule, WEDNESDAY) == datetime.fromisoformat(f"{due}+00:00")


def test_times_are_those_of_utc() -> None:
    there = WEDNESDAY.astimezone(timezone(timedelta(hours=9)))
    assert next_time("0 3 * * *", there) == datetime(2026, 11, 26, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "reason"),
    [
        ("0 days", "no time between two rounds"),
        ("soon", "neither like `7 days` nor five fields"),
        ("61 * * * *", "no minute from 0 to 59"),
        ("0 5-3 * * *", "no hour from 0 to 23"),
        ("*/0 * * * *", "no minute from 0 to 59"),
        ("x * * * *", "'x' is no minute"),
        ("0 0 31 2 *", "on no day of any year"),
    ],
)
def test_what_is_no_schedule(schedule: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_schedule(schedule)


def test_a_time_between_two_rounds_is_found_a_little_earlier() -> None:
    assert tolerance("7 days") == timedelta(minutes=5)
    assert tolerance("10 minutes") == timedelta(seconds=6)
    # Cron's fields name a minute, and before it nothing is due.
    assert tolerance("0 3 * * 1") == timedelta(0)
