"""Names of model versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.errors import DeclarationError, InvalidIdError
from wiki.registry import VersionReference, parse_version_reference


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pharma", VersionReference("pharma", None, "live")),
        ("pharma@live", VersionReference("pharma", None, "live")),
        ("pharma@candidate", VersionReference("pharma", None, "candidate")),
        ("pharma@3", VersionReference("pharma", 3, None)),
        ("my_wiki-2.1@12", VersionReference("my_wiki-2.1", 12, None)),
    ],
)
def test_references_are_read(text: str, expected: VersionReference) -> None:
    assert parse_version_reference(text) == expected


def test_a_reference_prints_as_it_is_written() -> None:
    assert str(parse_version_reference("pharma@3")) == "pharma@3"
    assert str(parse_version_reference("pharma")) == "pharma@live"


@pytest.mark.parametrize(
    "text",
    ["pharma@", "pharma@0", "pharma@03", "pharma@-1", "pharma@1@2", "pharma@Live", "a@\uff11"],
)
def test_a_selector_that_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError, match=r"write \w+@live"):
        parse_version_reference(text)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../pharma",
        "..\\pharma",
        "a/b",
        "a\\b",
        "/etc",
        "c:",
        "%2e%2e",
        "Pharma",
        "pharma ",
        "pharma\n",
        "pharma\0",
        "-pharma",
        ".pharma",
        "pharma.",
        "a" * 65,
        "con",
        "nul.gguf",
        "com1",
        "phärma",
        "pharma\u2215x",
    ],
)
def test_a_name_that_may_not_become_a_folder_is_refused(name: str) -> None:
    with pytest.raises(InvalidIdError, match="cannot be the name of a model"):
        parse_version_reference(name)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        reference = parse_version_reference(text)
    except DeclarationError:
        return
    assert parse_version_reference(str(reference)) == reference
    assert not set(reference.name) & set("/\\\0:")
    assert (reference.version is None) != (reference.alias is None)
