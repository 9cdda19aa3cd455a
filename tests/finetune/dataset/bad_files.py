"""Bad files of every kind: for each the finding that it must have, and its line.

Containers and encodings, broken JSON, completion rows, rules of providers, the layouts of Cohere
and TRL, and what shows in a file as a whole.
"""

import bz2
import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from finetune.dataset import ProviderProfile
from tests.finetune.dataset.test_bad_lines import (
    ANSWER,
    ASK,
    OK,
    TOOL,
    called,
    dpo,
    line,
    named,
    sft,
    told,
)

__all__ = [
    "CASES",
    "COMPLETION",
    "RESULT",
    "SYSTEM",
    "TEXT",
    "Case",
    "after",
    "good",
    "plain_cohere",
    "trl_call",
    "trl_completion",
    "trl_preference",
    "two",
]


class Case(NamedTuple):
    """A file and what is wrong with it."""

    name: str
    content: bytes
    code: str
    line: int
    options: Mapping[str, Any] = MappingProxyType({})
    also: frozenset[str] = frozenset()


def good(number: int, said: str = "a") -> bytes:
    return sft({**ASK, "content": f"Question {number}?"}, {**ANSWER, "content": f"{said} {number}"})


def after(bad: bytes, count: int = 3, make: Callable[[int], bytes] = good) -> bytes:
    """Put a line behind some good ones."""
    return b"\n".join([*(make(n) for n in range(count)), bad]) + b"\n"


def zipped() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("rows.jsonl", OK)
    return target.getvalue()


def tarred() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        info = tarfile.TarInfo("rows.jsonl")
        info.size = len(OK)
        archive.addfile(info, io.BytesIO(OK))
    return target.getvalue()


TEXT = b"\n".join(good(n) for n in range(3)) + b"\n"

CONTAINERS = [
    Case("gzip", gzip.compress(TEXT), "not_text", 1),
    Case("gzip of nothing", gzip.compress(b""), "not_text", 1),
    Case("tar", tarred(), "not_text", 1),
    Case("zip", zipped(), "not_text", 1),
    Case("bzip2", bz2.compress(TEXT), "not_text", 1),
    Case("zstandard", b"\x28\xb5\x2f\xfd\x04\x00", "not_text", 1),
    Case("parquet", b"PAR1\x15\x04" + b"\x00" * 40 + b"PAR1", "not_text", 1),
    Case("utf-16 with its mark", TEXT.decode().encode("utf-16"), "not_text", 1),
    Case("utf-16 big end first", b"\xfe\xff" + TEXT.decode().encode("utf-16-be"), "not_text", 1),
    Case("latin-1", good(0, "\u00e9t\u00e9").decode().encode("latin-1"), "invalid_unicode", 1),
    Case(
        "windows-1252 later",
        after(good(9, "\u20ac").decode().encode("cp1252")),
        "invalid_unicode",
        4,
    ),
    Case("cut inside a character", after(b'{"messages":"\xe4\xbd', 1), "invalid_unicode", 2),
    Case("overlong character", after(b'{"messages":"\xc0\xaf"}'), "invalid_unicode", 4),
    Case("surrogate in bytes", after(b'{"messages":"\xed\xa0\x80"}'), "invalid_unicode", 4),
    Case("mark", b"\xef\xbb\xbf" + TEXT, "byte_order_mark", 1),
    Case("mark before nothing", b"\xef\xbb\xbf", "empty_file", 0),
    Case(
        "mark twice",
        b"\xef\xbb\xbf\xef\xbb\xbf" + TEXT,
        "invalid_json",
        1,
        also=frozenset({"byte_order_mark"}),
    ),
    Case("empty", b"", "empty_file", 0),
    Case("only line ends", b"\n\r\n\n", "empty_file", 0),
    Case("only spaces", b"   \t ", "empty_file", 0),
    Case("zero bytes", b"\x00" * 64, "invalid_json", 1),
    Case("carriage returns", TEXT.replace(b"\n", b"\r"), "invalid_json", 1),
    Case("one array", b"[" + b",".join([OK, OK]) + b"]", "data_type", 1),
    Case("one array over lines", b"[\n" + OK + b",\n" + OK + b"\n]\n", "invalid_json", 1),
    Case(
        "an object over lines",
        json.dumps(json.loads(OK), indent=2).encode(),
        "invalid_json",
        1,
        also=frozenset({"data_type"}),
    ),
    Case("csv", b"question,answer\nWhen?,At nine.\n", "invalid_json", 1),
    Case("yaml", b"messages:\n- role: user\n", "invalid_json", 1),
    Case("html", b"<!doctype html><title>Sign in</title>", "invalid_json", 1),
    Case(
        "a pointer of git-lfs", b"version https://git-lfs.github.com/spec/v1\n", "invalid_json", 1
    ),
    Case("python", b"{'messages': [{'role': 'user', 'content': 'x'}]}\n", "invalid_json", 1),
    Case("a comma after each row", OK + b",\n" + good(5), "invalid_json", 1),
    Case("blank between", good(0) + b"\n\n" + good(1), "blank_line", 2),
    Case("blank with windows ends", good(0) + b"\r\n\r\n" + good(1), "blank_line", 2),
    Case("blank first", b"\n" + good(1), "blank_line", 1),
    Case("last line cut", after(OK[:-10])[:-1], "invalid_json", 4),
    Case("last line cut in a string", after(OK[:30])[:-1], "invalid_json", 4),
    Case("last line cut after a colon", after(b'{"messages":')[:-1], "invalid_json", 4),
    Case("two rows in a line", after(OK + good(7)), "invalid_json", 4),
    Case("a mark in the middle", after(b"\xef\xbb\xbf" + OK), "invalid_json", 4),
    Case("long line", after(b"x" * 5000), "line_too_long", 4, {"max_line_bytes": 1000}),
    Case(
        "long line first", b"y" * 5000 + b"\n" + TEXT, "line_too_long", 1, {"max_line_bytes": 1000}
    ),
    Case(
        "long line last",
        after(b'{"messages":"' + b"z" * 5000)[:-1],
        "line_too_long",
        4,
        {"max_line_bytes": 1000},
    ),
]

JSON = [
    Case(f"json {text[:24]!r}", after(text), code, 4)
    for code, text in [
        ("not_finite", b'{"messages":[NaN]}'),
        ("not_finite", b'{"messages":[Infinity]}'),
        ("not_finite", b'{"messages":[-Infinity]}'),
        ("not_finite", b'{"messages":[1e999]}'),
        ("invalid_json", b'{"messages":[nan]}'),
        ("invalid_json", b'{"messages":[01]}'),
        ("invalid_json", b'{"messages":[1.]}'),
        ("invalid_json", b'{"messages":[.5]}'),
        ("invalid_json", b'{"messages":[+1]}'),
        ("invalid_json", b'{"messages":[0x1F]}'),
        ("invalid_json", b'{"messages":undefined}'),
        ("invalid_json", b'{"messages":None}'),
        ("invalid_json", b'{"messages":[],}'),
        ("invalid_json", b'{"messages":[],,}'),
        ("invalid_json", b'{"messages":[1 2]}'),
        ("invalid_json", b"{messages:[]}"),
        ("invalid_json", b'{"messages"=[]}'),
        ("invalid_json", b'{"messages":[]'),
        ("invalid_json", b'{"messages":[]}}'),
        ("invalid_json", b'{"messages":[]} // done'),
        ("invalid_json", b'# {"messages":[]}'),
        ("invalid_json", b'{"messages":"a\\x41"}'),
        ("invalid_json", b'{"messages":"\\u12"}'),
        ("invalid_json", b'{"messages":"\x01"}'),
        ("invalid_json", b'{"messages":"unclosed'),
        ("invalid_json", b'"messages":[]'),
        ("invalid_unicode", rb'{"messages":"\udc00"}'),
        ("invalid_unicode", rb'{"messages":"\ud83d x"}'),
        ("duplicate_key", b'{"messages":[],"messages":[]}'),
        ("duplicate_key", b'{"messages":[{"content":"a","content":"b"}]}'),
        ("line_too_deep", b'{"messages":' + b'{"a":' * 70 + b"1" + b"}" * 71),
        ("data_type", b'"messages"'),
        ("data_type", b"42"),
        ("data_type", b"true"),
        ("data_type", b"[]"),
    ]
]

COMPLETION = b'{"prompt":"The capital is","completion":" Paris."}'


def completion(number: int) -> bytes:
    return line({"prompt": f"Number {number} is", "completion": f" {number}."})


COMPLETIONS = [
    Case(f"completion {text[:60]!r}", after(text, make=completion), code, 4)
    for code, text in [
        ("no_boundary_space", b'{"prompt":"The capital is","completion":"Paris"}'),
        ("missing_content", b'{"prompt":"x","completion":""}'),
        ("missing_content", b'{"prompt":"x","completion":"  "}'),
        ("missing_content", b'{"prompt":"","completion":""}'),
        ("wrong_type", b'{"prompt":7,"completion":" x"}'),
        ("wrong_type", b'{"prompt":"x","completion":null}'),
        ("wrong_type", b'{"prompt":"x","completion":["y"]}'),
        ("unrecognized_key", b'{"prompt":"x","completion":" y","id":1}'),
        ("duplicate_row", completion(1)),
        ("mixed_formats", good(9)),
        ("mixed_formats", dpo()),
    ]
] + [
    Case("a completion among chats", after(COMPLETION), "mixed_formats", 4),
    Case(
        "a stray object before completions",
        b'{"x":1}\n' + after(COMPLETION, make=completion),
        "unknown_format",
        1,
    ),
    Case("half a completion", after(b'{"completion":" y"}'), "missing_messages_list", 4),
]

SYSTEM: dict[str, Any] = {"role": "system", "content": "Sell."}


def turns(*roles: str) -> bytes:
    return sft(*({"role": role, "content": f"{role} {at}"} for at, role in enumerate(roles)))


def two(*said: object) -> bytes:
    return dpo(good=[{**ANSWER, "content": text} for text in said])


def preferred(number: int) -> bytes:
    return dpo(f"good {number}", f"bad {number}", [{**ASK, "content": f"q{number}"}])


PROVIDER = [
    Case(
        f"{provider} {code} {text[:70]!r}",
        after(text, make=make),
        code,
        4,
        {"provider": provider, "minimum": 0},
    )
    for provider, make, code, text in [
        ("openai", preferred, "output_not_single", two("x", "y")),
        ("together", preferred, "output_not_single", two("x", "y")),
        ("together", good, "not_alternating", turns("user", "user", "assistant")),
        ("together", good, "not_alternating", turns("user", "assistant", "assistant")),
        ("together", good, "not_alternating", turns("assistant", "user", "assistant")),
        ("together", good, "not_alternating", turns("system", "assistant", "user", "assistant")),
        ("together", good, "system_not_first", turns("user", "system", "assistant")),
        ("together", preferred, "not_alternating", dpo(messages=[ASK, ASK])),
        (
            "fireworks",
            good,
            "system_not_first",
            turns("user", "assistant", "system", "user", "assistant"),
        ),
        ("azure", good, "last_message_role", turns("user", "assistant", "user")),
        ("trl", good, "weight_ignored", sft(ASK, {**ANSWER, "weight": 0}, ASK, ANSWER)),
    ]
] + [
    Case("two rows for openai", TEXT, "too_few_examples", 0, {}),
    Case("two rows for azure", TEXT, "too_few_examples", 0, {"provider": "azure"}),
    Case(
        "two rows for fireworks",
        good(1) + b"\n" + good(2),
        "too_few_examples",
        0,
        {"provider": "fireworks"},
    ),
    Case(
        "too many for a provider",
        TEXT,
        "too_many_examples",
        0,
        {"provider": ProviderProfile(name="small", maximum=2)},
    ),
    Case(
        "too large for a provider",
        TEXT,
        "file_too_large",
        0,
        {"provider": ProviderProfile(name="small", max_bytes=100)},
    ),
    Case(
        "large for a provider",
        TEXT,
        "large_file",
        0,
        {"provider": ProviderProfile(name="small", large_bytes=100)},
    ),
    Case("mark for trl", b"\xef\xbb\xbf" + TEXT, "byte_order_mark", 1, {"provider": "trl"}),
    Case("long rows", after(good(8, "long " * 90)), "too_many_tokens", 4, {"max_tokens": 60}),
]


def cohere(*said: tuple[str, str], **keys: object) -> bytes:
    return line({"messages": [{"role": role, "content": text} for role, text in said], **keys})


def plain_cohere(number: int) -> bytes:
    return cohere(("System", "Sell."), ("User", f"q{number}"), ("Chatbot", f"a{number}"))


COHERE = [
    Case(
        f"cohere {code} {text[:70]!r}",
        after(text, make=plain_cohere),
        code,
        4,
        {"provider": "cohere"},
    )
    for code, text in [
        ("unrecognized_role", cohere(("user", "x"), ("User", "q"), ("Chatbot", "x"))),
        ("unrecognized_role", cohere(("User", "x"), ("Chatbot", "a"), ("assistant", "x"))),
        ("unrecognized_role", cohere(("Tool", "x"), ("User", "q"), ("Chatbot", "y"))),
        ("example_missing_user_message", cohere(("System", "x"), ("Chatbot", "y"))),
        ("example_missing_assistant_message", cohere(("System", "x"), ("User", "y"))),
        ("system_not_first", cohere(("User", "x"), ("System", "s"), ("Chatbot", "y"))),
        ("unrecognized_key", cohere(("User", "x"), ("Chatbot", "y"), tools=[])),
        ("missing_content", cohere(("User", ""), ("Chatbot", "y"))),
        ("turn_too_long", cohere(("User", "x " * 33_000), ("Chatbot", "y"))),
        ("missing_messages_list", line({"messages": []})),
        ("missing_messages_list", line({"messages": "x"})),
        ("missing_messages_list", cohere()),
        (
            "message_missing_key",
            line({"messages": [{"role": "User"}, {"role": "Chatbot", "content": "x"}]}),
        ),
        (
            "message_missing_key",
            line({"messages": [{"content": "x"}, {"role": "Chatbot", "content": "x"}]}),
        ),
        (
            "message_unrecognized_key",
            line(
                {
                    "messages": [
                        {"role": "User", "content": "x", "id": 1},
                        {"role": "Chatbot", "content": "x"},
                    ]
                }
            ),
        ),
    ]
] + [
    Case("one row for cohere", plain_cohere(1), "too_few_examples", 0, {"provider": "cohere"}),
]


def trl_call(arguments: object = None, **keys: object) -> dict[str, object]:
    function = {"name": "dose", "arguments": arguments or {"drug": "x"}}
    return {"role": "assistant", "tool_calls": [{"type": "function", "function": function}], **keys}


RESULT = {"role": "tool", "name": "dose", "content": "5"}


def trl_preference(number: int) -> bytes:
    return line(
        {
            "prompt": [ASK],
            "chosen": [{**ANSWER, "content": f"good {number}"}],
            "rejected": [{**ANSWER, "content": f"bad {number}"}],
        }
    )


def trl_completion(number: int) -> bytes:
    return line({"prompt": [ASK], "completion": [{**ANSWER, "content": f"good {number}"}]})


TRL = [
    Case(
        f"trl {code} {text[:80]!r}",
        after(text, make=make),
        code,
        4,
        {"provider": "trl", "minimum": 0},
    )
    for make, code, text in [
        (good, "tool_arguments_not_object", sft(ASK, called(), told(), ANSWER, tools=[TOOL])),
        (good, "unknown_tool", sft(ASK, trl_call(), RESULT, ANSWER)),
        (
            good,
            "tool_arguments_invalid",
            sft(ASK, trl_call({"drug": 5}), RESULT, ANSWER, tools=[TOOL]),
        ),
        (good, "unanswered_tool_call", sft(ASK, trl_call(), ASK, ANSWER, tools=[TOOL])),
        (good, "wrong_type", sft(ASK, ANSWER, tools="[")),
        (good, "tool_name_invalid", sft(ASK, ANSWER, tools=json.dumps([named("a b")]))),
        (good, "mixed_formats", trl_preference(8)),
        (
            trl_preference,
            "preferred_equals_non_preferred",
            line({"prompt": [ASK], "chosen": [ANSWER], "rejected": [ANSWER]}),
        ),
        (trl_preference, "missing_key", line({"prompt": [ASK], "chosen": [ANSWER]})),
        (
            trl_preference,
            "wrong_type",
            line({"prompt": [ASK], "chosen": "x", "rejected": [ANSWER]}),
        ),
        (
            trl_preference,
            "last_input_role",
            line(
                {
                    "prompt": [ASK, ANSWER],
                    "chosen": [ANSWER],
                    "rejected": [{**ANSWER, "content": "z"}],
                }
            ),
        ),
        (trl_preference, "mixed_formats", good(4)),
        (
            trl_completion,
            "unrecognized_role",
            line({"prompt": [{"role": "human", "content": "x"}], "completion": [ANSWER]}),
        ),
        (
            trl_completion,
            "missing_content",
            line({"prompt": [ASK], "completion": [{**ANSWER, "content": ""}]}),
        ),
        (
            trl_completion,
            "example_missing_user_message",
            line({"prompt": [SYSTEM], "completion": [ANSWER]}),
        ),
        (trl_completion, "wrong_type", line({"prompt": [ASK], "completion": {}})),
    ]
]


def many(rows: int, *odd: bytes) -> bytes:
    return b"\n".join([*(good(n, "long answer of many words " * 8) for n in range(rows)), *odd])


def labelled(rows: int, rare: int) -> bytes:
    said = ["rare" if n < rare else "usual" for n in range(rows)]
    return b"\n".join(
        sft({**ASK, "content": f"q{n}"}, {**ANSWER, "content": text}) for n, text in enumerate(said)
    )


WHOLE = [
    Case("one label is everywhere", labelled(60, 3), "label_imbalance", 0),
    Case("a short answer", many(59, good(60)), "short_answers", 60),
    Case("a very long row", many(59, good(60, "word " * 4000)), "length_outlier", 60),
    Case(
        "a tool says nothing",
        after(sft(ASK, called(), {**told(), "content": ""}, ANSWER, tools=[TOOL])),
        "empty_tool_result",
        4,
        {"minimum": 0},
    ),
    Case(
        "an empty argument",
        after(sft(ASK, called('{"drug":" "}'), told(), ANSWER, tools=[TOOL])),
        "empty_argument",
        4,
        {"minimum": 0},
    ),
    Case("a row again", after(good(1)), "duplicate_row", 4),
    Case("few rows", TEXT, "few_examples", 0, {"minimum": 0}),
    Case("only bad rows", b"x\n" * 12, "invalid_json", 1),
    Case(
        "a key of another order again",
        after(b'{"tools":[],"messages":[]}'),
        "missing_messages_list",
        4,
    ),
]

CASES = [*CONTAINERS, *JSON, *COMPLETIONS, *PROVIDER, *COHERE, *TRL, *WHOLE]
"""All of them."""
