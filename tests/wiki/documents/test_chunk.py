"""Passages: where they are cut, that they overlap, and that nothing gets lost."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from wiki.documents.blocks import Block, Text
from wiki.documents.chunk import OVERLAP, SIZE, cut
from wiki.documents.markdown import read_markdown, read_text


def test_a_passage_does_not_span_two_headings() -> None:
    passages = cut("a.md", read_markdown("# A\none\n\ntwo\n# B\nthree\n"))
    assert [(p.title, p.start, p.end, p.text) for p in passages] == [
        ("A", 2, 4, "one\n\ntwo"),
        ("B", 6, 6, "three"),
    ]
    assert {(p.path, p.unit) for p in passages} == {("a.md", "line")}


def test_a_passage_does_not_span_two_pages() -> None:
    text = Text("page", (Block("", 1, "one\ntwo"), Block("", 1, "three"), Block("", 2, "four")))
    passages = cut("a.pdf", text)
    assert [(p.start, p.end, p.text) for p in passages] == [
        (1, 1, "one\ntwo\n\nthree"),
        (2, 2, "four"),
    ]


def test_long_text_is_cut_with_an_overlap() -> None:
    lines = [f"Line {number} says what line {number} says." for number in range(100)]
    passages = cut("a.txt", read_text("\n".join(lines)))
    assert len(passages) > 3
    for passage in passages:
        assert len(passage.text) <= SIZE
        assert passage.text.split("\n") == lines[passage.start - 1 : passage.end]
    for before, after in pairwise(passages):
        repeated = lines[after.start - 1 : before.end]
        assert repeated
        assert len("\n".join(repeated)) <= OVERLAP


def test_a_line_without_an_end_is_cut_between_words_or_anywhere() -> None:
    words = " ".join(f"word{number}" for number in range(1000))
    passages = cut("a.txt", read_text(words))
    assert all(len(p.text) <= SIZE and p.start == p.end == 1 for p in passages)
    assert {word for p in passages for word in p.text.split()} == set(words.split())
    assert all(len(p.text) <= SIZE for p in cut("a.txt", read_text("x" * 10_000)))


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=700),
        max_size=30,
    )
)
def test_every_word_is_in_a_passage_and_the_cut_is_repeatable(lines: list[str]) -> None:
    text = read_text("\n".join(lines))
    passages = cut("a.txt", text)
    assert passages == cut("a.txt", text)
    assert all(0 < len(p.text) <= SIZE + 2 for p in passages)
    kept = {character for p in passages for character in p.text}
    assert {c for block in text.blocks for c in block.text if not c.isspace()} <= kept
