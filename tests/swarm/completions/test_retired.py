"""What is known of models and services that their providers withdraw."""

from datetime import date

import pytest

from swarm.completions.retired import SERVICES, retirement, service


@pytest.mark.parametrize(
    ("model", "ends"),
    [
        ("openai/gpt-4", date(2026, 10, 23)),
        ("openai/gpt-4.1-nano", date(2026, 10, 23)),
        ("openai/gpt-4.1-mini", date(2027, 1, 14)),
        ("openai/gpt-4.1-mini-2025-04-14", date(2027, 1, 14)),
        ("openai/ft:gpt-4o-mini:org:shop:abc", date(2027, 1, 14)),
        ("openai/gpt-4000", None),
        ("openai/gpt-6-luna", None),
        ("ollama/gpt-4", None),
    ],
)
def test_a_model_ends_on_its_date(model: str, ends: date | None) -> None:
    found = retirement(model)
    assert (found.date if found is not None else None) == ends
    assert found is None or found.date.isoformat() in found.detail


def test_a_service_ends_on_its_date() -> None:
    known = service("cohere")
    assert known is not None
    assert known.ends == date(2025, 9, 15)
    assert service("vllm") is None
    assert all(one.ends.isoformat() in one.detail for one in SERVICES)
