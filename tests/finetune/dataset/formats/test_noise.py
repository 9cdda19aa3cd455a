"""Whatever stands in a file, it ends in a row or in a typed refusal, never in another error."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finetune.dataset import DatasetError, convert_file, encode_row
from finetune.dataset.formats import FORMATS, RowRefusedError
from tests.finetune.dataset.formats.generate_rows import dpo_rows, sft_rows

KEYS = [
    *("messages", "role", "content", "name", "weight", "tool_calls", "tool_call_id", "images"),
    *("id", "type", "function", "arguments", "tools", "parameters", "text", "functions"),
    *("input", "preferred_output", "non_preferred_output", "instruction", "output", "history"),
    *("conversations", "from", "value", "chosen", "rejected", "prompt", "completion", "system"),
    *("wikiswarm", "row", "function_call", "url", "image_url"),
]
WORDS = [
    *("user", "assistant", "tool", "function", "system", "human", "gpt", "observation"),
    *("function_call", "text", "image_url", "<image>", "{}", "[]", '[{"name": "f"}]', "User"),
    *("[[[], 1]]", '[[["messages"], []]]', "<|im_start|>user\nq<|im_end|>", "Chatbot"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=25,
)
QUICK = settings(
    max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.mark.requirement("S1-04")
@QUICK
@given(value=st.dictionaries(st.sampled_from(KEYS), JSON, max_size=5))
def test_objects(value: dict[str, Any]) -> None:
    kept = json.dumps(value)
    for form in FORMATS.values():
        with contextlib.suppress(RowRefusedError):
            row = form.decode(value).row
            for other in FORMATS.values():
                with contextlib.suppress(RowRefusedError):
                    other.encode(row)
        assert json.dumps(value) == kept, form.name


@QUICK
@given(data=st.data(), seed=st.integers(0, 50), name=st.sampled_from(["trl", "sharegpt"]))
def test_rows_with_something_changed(data: st.DataObject, seed: int, name: str) -> None:
    """Real rows, in which one value is replaced, reach further than noise."""
    row = next(sft_rows(seed, 1)) if seed % 2 else next(dpo_rows(seed, 1))
    try:
        value: Any = json.loads(json.dumps(FORMATS[name].encode(row).value))
    except RowRefusedError:
        return
    node: Any = value
    while True:
        steps: Any = sorted(node) if hasattr(node, "keys") else range(len(node))
        step = data.draw(st.sampled_from(steps))
        inner: Any = node[step]
        if inner in ([], {}) or not hasattr(inner, "__getitem__") or hasattr(inner, "casefold"):
            break
        if data.draw(st.booleans()):
            break
        node = inner
    node[step] = data.draw(JSON)
    with contextlib.suppress(RowRefusedError):
        encode_row(FORMATS[name].decode(value).row)


@pytest.mark.requirement("S1-04")
@QUICK
@given(
    data=st.binary(max_size=200)
    | st.text(max_size=200).map(str.encode)
    | st.lists(st.sampled_from(['{"a":', "[", "]", "}", ",", '"', "\n", "1", "x", "Q:", "A:", ";"]))
    .map("".join)
    .map(str.encode)
)
def test_files(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    source, target = folder / "noise.dat", folder / "noise-out.jsonl"
    source.write_bytes(data)
    target.unlink(missing_ok=True)
    try:
        report = convert_file(source, target, to="openai")
    except DatasetError:
        assert not target.exists()
    else:
        assert len(target.read_bytes().splitlines()) == report.written > 0
    left = [entry for entry in folder.iterdir() if entry.name.endswith(".tmp")]
    assert left == []


def test_the_noise_reaches_the_rows(tmp_path: Path) -> None:
    """The texts above are not all refused at the door."""
    (tmp_path / "noise.dat").write_text("Q:x\nA:1\n")
    assert convert_file(tmp_path / "noise.dat", tmp_path / "o.jsonl", to="openai").written == 1
