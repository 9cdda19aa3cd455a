"""How a document is found in what a model wrote."""

import time
from typing import Any

import pytest

from swarm.outline.reading import UnreadableError, read_documents

DOCUMENT = {"sku": "A1", "boxes": 2}
TEXT = '{"sku": "A1", "boxes": 2}'


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"\n  {TEXT}\n",
        f"\ufeff{TEXT}",
        f"```json\n{TEXT}\n```",
        f"```\n{TEXT}\n```",
        f"Here you are:\n\n```json\n{TEXT}\n```\nAnything else?",
        f"Here you are: {TEXT} Anything else?",
        f"<think>It is {{A1}}, I think.</think>{TEXT}",
        '"{\\"sku\\": \\"A1\\", \\"boxes\\": 2}"',
    ],
)
def test_a_document_is_found_whatever_is_around_it(text: str) -> None:
    assert read_documents(text) == [DOCUMENT]


def test_of_several_objects_the_last_one_is_the_likeliest() -> None:
    text = f'First {{"sku": "B2"}}, no: {TEXT}.'
    assert read_documents(text) == [DOCUMENT, {"sku": "B2"}]
    fenced = f"```json\n{TEXT}\n```\nnot\n```\n{{}}\n```"
    assert read_documents(fenced) == [{}, DOCUMENT]


def test_a_mark_inside_of_a_text_ends_no_fence() -> None:
    text = '```json\n{"note": "```\\n```json"}\n```'
    assert read_documents(text) == [{"note": "```\n```json"}]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("I cannot.", "no JSON object"),
        ("[1, 2]", "JSON of another kind"),
        ('"text"', "JSON of another kind"),
        ("null", "JSON of another kind"),
        ('{"sku": "A1", "boxes": ', "no JSON"),
        ('{"sku": "A1", "more": {"sku": "B2", "boxes": 2}, ', "no JSON"),
        ('{"more": {"sku": "B2", "boxes": 2} "sku": "A1"}', "delimiter"),
        ('```json\n{"more": {"sku": "B2"}', "no JSON"),
        ('{"boxes": NaN}', "NaN"),
        ('{"boxes": 1e999}', "1e999"),
        ('{"boxes": 1' + "0" * 30 + "}", "cannot be kept"),
        (r'{"sku": "\ud800"}', "cannot be kept"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "nested too deep"),
        ('{"a":' * 300 + "1" + "}" * 300, "cannot be kept"),
        ('{"a": "' + "x" * 2_000_000 + '"}', "too long"),
    ],
)
def test_what_is_no_document_says_why(text: str, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        read_documents(text)


@pytest.mark.parametrize("text", ["{" * 100_000, '{"' * 100_000, "{}" * 50_000, "```" * 50_000])
def test_odd_texts_take_no_time(text: str) -> None:
    started = time.monotonic()
    try:
        found: list[dict[str, Any]] = read_documents(text)
    except UnreadableError:
        found = []
    assert all(document == {} for document in found)
    assert time.monotonic() - started < 5
