"""What a wiki's declaration must hold."""

from typing import Any

import pytest

from swarm import Catalog, use_catalog
from swarm.errors import DuplicateNameError, ValidationError
from wiki import WIKIS, add_wiki


def _problems(**fields: Any) -> list[tuple[str, str, str | None]]:
    with use_catalog(Catalog()), pytest.raises(ValidationError) as caught:
        add_wiki(wiki_name="pharma", **fields)
    return [(problem.where, problem.message, problem.hint) for problem in caught.value.problems]


@pytest.mark.requirement("S4-12")
def test_a_wiki_is_declared_by_name() -> None:
    catalog = Catalog()
    with use_catalog(catalog):
        name = add_wiki(
            wiki_name="pharma",
            doc_description="Products and policies",
            get_chat=str.upper,
            examples=["What does it cost?"],
        )
    spec = catalog.registry(WIKIS).get(name)
    assert spec.wiki_name == name == "pharma"
    assert spec.doc_description == "Products and policies"
    assert spec.examples == ("What does it cost?",)
    with use_catalog(catalog), pytest.raises(DuplicateNameError, match="wiki 'pharma'"):
        add_wiki(wiki_name="pharma", get_chat=str.lower)


@pytest.mark.parametrize(
    "sources",
    [
        {},
        {"model": "offline", "completion": "other"},
        {"model": "offline", "get_chat": str.upper},
        {"completion": "other", "get_chat": str.upper},
    ],
)
def test_a_wiki_has_exactly_one_source(sources: dict[str, Any]) -> None:
    [(where, message, _)] = _problems(**sources)
    assert where == "wikis.pharma"
    assert message == "give exactly one of `completion`, `model` and `get_chat`"


def test_a_threshold_needs_somebody_to_ask_instead() -> None:
    [(_, message, _)] = _problems(model="offline", min_confidence=0.5)
    assert message == "`min_confidence` needs a `fallback` to ask instead"


def test_all_wrong_fields_are_told_at_once() -> None:
    found = _problems(
        model="offline",
        fallback="offline",
        min_confidence=2,
        timeout=0,
        max_tokens=-1,
        fallbak="offline",
    )
    assert {where for where, _, _ in found} == {
        "wikis.pharma.min_confidence",
        "wikis.pharma.timeout",
        "wikis.pharma.max_tokens",
        "wikis.pharma.fallbak",
    }
    assert ("wikis.pharma.fallbak", "unknown field 'fallbak'", "did you mean 'fallback'?") in found


def test_a_watch_is_checked_with_the_wiki() -> None:
    watch: dict[str, Any] = {
        "on_alarm": "panic",
        "act_on": [],
        "window": 10,
        "false_alarms": 0,
        "baseline": 6,
        "embedding": "wordlama",
    }
    found = _problems(model="offline", watch=watch)
    assert {where for where, _, _ in found} >= {f"wikis.pharma.watch.{name}" for name in watch}
    assert any("wordllama" in message for _, message, _ in found)
