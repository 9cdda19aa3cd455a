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
        ("openai/gpt-3.5-turbo-0125", date(2026, 10, 23)),
        ("openai/gpt-4-1106-preview", date(2026, 10, 23)),
        ("openai/gpt-4-turbo-2024-04-09", date(2026, 10, 23)),
        ("openai/ft:gpt-3.5-turbo-0125:org::abc", date(2026, 10, 23)),
        ("openai/gpt-4o-2024-05-13", date(2026, 10, 23)),
        ("openai/gpt-4o-2024-11-20", date(2027, 1, 14)),
        ("openai/o4-mini-2025-04-16", date(2026, 10, 23)),
        ("litellm/gpt-4o", date(2027, 1, 14)),
        ("litellm/openai/gpt-4o", date(2027, 1, 14)),
        ("litellm/ollama/gpt-4o", None),
        ("cohere/command-r", date(2025, 9, 15)),
        ("cohere/command-r-08-2024", None),
        ("openai/gpt-4o-transcribe", None),
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
    tuning = service("openai")
    assert tuning is not None and tuning.name == "openai fine-tuning"
    assert service("vllm") is None
    assert all(one.ends.isoformat() in one.detail for one in SERVICES)
