"""Reading one YAML file: what is data, what is refused, and where everything stands."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pytest

from declarative.compose import MAX_VALUES
from declarative.document import MAX_BYTES, read_document

ENVIRONMENT = {"PORT": "8001", "LIST": "[a, b]", "EMPTY": "", "SHOP_API_KEY": "sk-very-secret"}


def problems(path: Path) -> list[str]:
    document = read_document(path, "a.yaml", ENVIRONMENT)
    return [str(problem).removeprefix("a.yaml:") for problem in document.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # tags
        ("a: !!str b", ["1:4: a: tags such as '!!str' are not allowed"]),
        ("a: !!binary aGk=", ["1:4: a: tags such as '!!binary' are not allowed"]),
        (
            "a: !!python/object/apply:os.system [ls]",
            ["1:4: a: tags such as '!!python/object/apply:os.system' are not allowed"],
        ),
        ("a: [1, !mine {b: 2}]", ["1:8: a[1]: tags such as '!mine' are not allowed"]),
        ("a: ! b", ["1:4: a: tags such as '!' are not allowed"]),
        (
            "a: !x 1\nb:\n  - !y 2",
            [
                "1:4: a: tags such as '!x' are not allowed",
                "3:5: b[0]: tags such as '!y' are not allowed",
            ],
        ),
        # keys
        (
            "a: {b: 1, c: 2, b: 3}",
            ["1:17: a.b: the key 'b' stands here twice (first at line 1, column 5)"],
        ),
        ("a: 1\n\na: 2", ["3:1: a: the key 'a' stands here twice (first at line 1, column 1)"]),
        ("? [a, b]\n: 1\nc: 2", ["1:3: document: a key must be text"]),
        ("x: &x y\n*x : 1", ["2:1: document: a key must be text"]),
        ("a: {'': 1}", ["1:5: a: a key may not be empty"]),
        ("a: &a {b: 1}\nc:\n  <<: *a", ["3:3: c: merge keys are not allowed"]),
        # anchors and aliases
        ("a: *nowhere", ["1:4: a: no anchor &nowhere stands above this alias"]),
        ("a: &a [1, {b: *a}]", ["1:15: a[1].b: the alias *a stands inside its own anchor"]),
        # syntax
        ("a: [1, 2\nb: 3", ["2:2: document: not valid YAML: while parsing a flow sequence"]),
        ("a: b: c", ["1:5: document: not valid YAML: mapping values are not allowed"]),
        (
            "a: {b: ${PORT}}",
            ["1:9: document: not valid YAML: while parsing a flow mapping"],
        ),
        ("a: 'open", ["1:9: document: not valid YAML: while scanning a quoted scalar"]),
        ("a: 1\n---\nb: 2", ["2:1: document: a file holds one document (remove `---`)"]),
        ("a: 1\nb: \x07", ["2:4: document: the character U+0007 is not allowed"]),
        # numbers that JSON has not
        ("a: .inf", ["1:4: a: .inf is no number that JSON has"]),
        ("a: [-.INF, .nan]", ["1:5: a[0]: -.INF is", "1:12: a[1]: .nan is no number"]),
        ("a: 1e999", ["1:4: a: 1e999 is too large for a number"]),
        (f"a: {'9' * 5000}", ["1:4: a: a number of 5000 characters; quote it if it is text"]),
        # variables
        (
            "a: ${MISSING}",
            ["1:4: a: the variable MISSING is not set (set MISSING, or write ${MISSING:-default})"],
        ),
        ("a: |\n  x ${not a name}\n", ["1:4: a: '${not a name}' names no variable (write ${NAME}"]),
        ("a: 'tail ${'", ["1:4: a: '${' names no variable"]),
        ("a: '${A:-${B}}'", ["1:4: a: '${A:-${B}' names no variable"]),
        # columns count characters, not bytes
        ("é: [ü, {ß: !x 1}]", ["1:12: é[1].ß: tags such as '!x' are not allowed"]),
    ],
)
def test_what_is_wrong_has_its_line_and_column(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    found = problems(path)
    assert len(found) == len(expected), found
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(start), f"{line}\nis not\n{start}"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a: 1\nb: \xff", "2:4: document: not UTF-8 text"),
        ("a: ü".encode("utf-16"), "1:1: document: not UTF-8 text"),
        (b"#" * (MAX_BYTES + 1), "1:1: document: larger than 1,048,576 bytes"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    assert problems(path) == [expected]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert problems(tmp_path / "b.yaml") == [
        "1:1: document: cannot be read: No such file or directory"
    ]
    assert problems(tmp_path) == ["1:1: document: cannot be read: Is a directory"]


def test_a_byte_order_mark_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1")
    document = read_document(path, "a.yaml", {})
    assert (document.data, document.problems) == ({"a": 1}, [])
    assert document.keys["a"] == (1, 1)


def test_scalars_are_read_as_in_yaml_1_2(write: Callable[..., Path]) -> None:
    path = write(
        a_yaml="""\
        text: [yes, No, on, 12:30, 2024-01-31, 1_000, 0b1, "1", 'true', "null", -, 1.2.3]
        number: [1, -2, +3, 0o17, 0xff, 1.5, .5, 1., 1e3, 007]
        word: [true, False, null, ~, ]
        404: a key is text
        """
    )
    document = read_document(path, "a.yaml", {})
    assert document.problems == []
    assert document.data == {
        "text": [
            "yes",
            "No",
            "on",
            "12:30",
            "2024-01-31",
            "1_000",
            "0b1",
            "1",
            "true",
            "null",
            "-",
            "1.2.3",
        ],
        "number": [1, -2, 3, 15, 255, 1.5, 0.5, 1.0, 1000.0, 7],
        "word": [True, False, None, None],
        "404": "a key is text",
    }


def test_every_path_has_its_place(write: Callable[..., Path]) -> None:
    path = write(a_yaml="agents:\n  seller:\n    tools: [x, &t {y: z}]\n    more: *t\n")
    document = read_document(path, "a.yaml", {})
    assert document.keys["agents.seller"] == (2, 3)
    assert document.values["agents.seller"] == (3, 5)
    assert document.values["agents.seller.tools[0]"] == (3, 13)
    assert document.values["agents.seller.tools[1].y"] == (3, 23)
    # An aliased value stands where its alias does, and what is in it where it was written.
    assert document.values["agents.seller.more"] == (4, 11)
    assert document.values["agents.seller.more.y"] == (3, 23)


def test_variables_stay_text(write: Callable[..., Path]) -> None:
    path = write(
        a_yaml="""\
        port: ${PORT}
        url: "http://localhost:${PORT}/v1"
        list: ${LIST}
        default: ["${MISSING:-x y}", "${EMPTY:-full}", "${EMPTY}", "${MISSING:-}"]
        escaped: $${PORT} and $PORT
        ${PORT}: keys are left alone
        """
    )
    document = read_document(path, "a.yaml", ENVIRONMENT)
    assert document.problems == []
    assert document.data == {
        "port": "8001",
        "url": "http://localhost:8001/v1",
        "list": "[a, b]",
        "default": ["x y", "full", "", ""],
        "escaped": "${PORT} and $PORT",
        "${PORT}": "keys are left alone",
    }


def test_a_bomb_of_aliases_is_defused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    path = tmp_path / "a.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    start = perf_counter()
    found = problems(path)
    assert perf_counter() - start < 2
    assert len(found) == 1
    assert f"more than {MAX_VALUES:,} values, with aliases written out" in found[0]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (MAX_VALUES - 2, []),
        (MAX_VALUES - 1, ["1:29999: a[9998]: more than 10,000 values, with aliases written out"]),
        (250_000, ["1:60002: a[19999]: more than 10,000 values"]),
    ],
)
def test_the_number_of_values_is_bounded(tmp_path: Path, count: int, expected: list[str]) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"a: [{'x, ' * count}]", encoding="utf-8")
    assert problems(path) == expected


@pytest.mark.parametrize(("depth", "is_allowed"), [(50, True), (51, False), (500_000, False)])
def test_depth_is_bounded(tmp_path: Path, depth: int, is_allowed: bool) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("[" * depth + "]" * depth, encoding="utf-8")
    found = problems(path)
    if is_allowed:
        assert found == []
    else:
        (line,) = found
        assert "stand more than 50 deep" in line
        # Where the parser has a limit of its own, it stops there.
        assert line.startswith("1:51: " if depth < 1000 else ("1:51: ", "1:1001: "))
        assert "stand more than 50 deep" in found[0]


def test_depth_counts_what_aliases_name(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"a: &a {'[' * 40}{']' * 40}\nb: {'[' * 20}*a{']' * 20}\n", encoding="utf-8")
    found = problems(path)
    assert len(found) == 1
    assert "stand more than 50 deep" in found[0]
