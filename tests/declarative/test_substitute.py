"""`${NAME}` in text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from declarative.substitute import SubstitutionError, substitute


@pytest.mark.parametrize(
    ("text", "expected", "variables"),
    [
        ("plain $ text {a}", "plain $ text {a}", ()),
        ("${A}", "1", ("A",)),
        ("${A}-${B_2}${A}", "1-${A}1", ("A", "B_2", "A")),
        ("$${A}", "${A}", ()),
        ("$$${A}", "$${A}", ()),
        ("${C:-}${C:-x:-y $}", "x:-y $", ()),
        ("${A:-x}", "1", ("A",)),
    ],
)
def test_variables_are_replaced_once(text: str, expected: str, variables: tuple[str, ...]) -> None:
    # A value that looks like a variable is not looked at again.
    assert substitute(text, {"A": "1", "B_2": "${A}"}) == (expected, variables)


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${A B}", "${A:-${B}}", "${A-b}", "x${A"])
def test_what_names_no_variable_is_refused(text: str) -> None:
    with pytest.raises(SubstitutionError, match="names no variable"):
        substitute(text, {"A": "1"})


@given(st.text("${}:-AB "), st.dictionaries(st.sampled_from("AB"), st.text(max_size=3)))
def test_any_text_is_replaced_or_refused(text: str, environment: dict[str, str]) -> None:
    try:
        result = substitute(text, environment)
    except SubstitutionError as wrong:
        assert wrong.hint
    else:
        assert set(result.variables) <= set(environment)
        if "${" not in text:
            assert result.text == text
