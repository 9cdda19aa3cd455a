"""Hostile chat templates are refused fast; templates that people use pass."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.train.template import TEMPLATE
from tests.wiki.tiny_gguf import CHAT_TEMPLATE
from wiki.engine import GgufError
from wiki.engine.chat_template import check_template

_TOOLS = """\
{%- if tools %}{{- '<|im_start|>system\\n' }}{# "{{ }}" #}
{%- for tool in tools %}{{- "\\n" }}{{- tool | tojson }}{%- endfor %}
{{- '{"name": <name>}}' }}{%- endif %}
{%- set ns = namespace(multi=true, last={'a': {'b': [1, 2]}}) %}
{%- for message in messages[::-1] %}
{%- if message.role == "user" and not (message.content.startswith('<x>')) %}{{ {'a': {}} }}
{%- elif message.tool_calls %}{%- for call in message.tool_calls %}
{{- call.arguments | tojson }}{%- endfor %}{%- endif %}{%- endfor %}
{%- generation %}it's text with a { and a }} outside{% endgeneration -%}
"""


@pytest.mark.parametrize("source", ["", "plain text, 1000000000", TEMPLATE, CHAT_TEMPLATE, _TOOLS])
def test_templates_that_people_use_pass(source: str) -> None:
    check_template(source)


_HOSTILE = {
    "long": ("x" * 600_000, "600000 characters"),
    "blocks": ("{% if a %}" * 100_00 + "{% endif %}" * 100_00, "nested too deeply"),
    "loops": ("{% for a in b %}" * 9 + "{% endfor %}" * 9, "nested too deeply"),
    "brackets": ("{{ " + "[" * 100_000 + "]" * 100_000 + " }}", "nested brackets"),
    "range": ("{% for a in range(1000000000) %}{% endfor %}", "the number 1000000000"),
    "repeat": ("{{ 'a' * 99999999999999999999999 }}", "the number 99999999999999999999"),
    "not": ("{{ " + "not " * 100_000 + "a }}", "a tag of over 4096 words"),
    "minus": ("{{ " + "-" * 100_000 + "1 }}", "a tag of over 4096 words"),
    "tags": ("{{a}}" * 20_000, "more than 16384 tags"),
    "elif": ("{% if a %}" + "{% elif a %}" * 20_000 + "{% endif %}", "more than 16384 tags"),
    "comment": ("{#" * 200_000, "a comment that does not end"),
    "open": ("{%" * 200_000, "nested brackets"),
    "string": ("{{ '" + "\\'" * 200_000, "a string that does not end"),
}


@pytest.mark.parametrize("name", _HOSTILE)
def test_hostile_templates_are_refused(name: str) -> None:
    source, reason = _HOSTILE[name]
    with pytest.raises(GgufError, match=reason):
        check_template(source)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "{{",
                "}}",
                "{%",
                "%}",
                "{#",
                "#}",
                "'",
                '"',
                "\\",
                "[",
                "]",
                "{",
                "}",
                "-",
                "for ",
                "if ",
                "endfor",
                "not ",
                "9",
                "x",
                " ",
                "\n",
                "-%}",
                "é",
            ]
        ),
        max_size=200,
    ).map("".join),
    st.integers(1, 400),
)
def test_any_text_is_judged(part: str, times: int) -> None:
    source = (part * times)[:500_000]
    with contextlib.suppress(GgufError):
        check_template(source)
