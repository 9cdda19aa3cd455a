"""The parity of trainer and server: it holds for our models, and a difference is found."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from finetune import publish
from finetune.package import PackagingError, ParityError, check_parity, package_gguf
from finetune.package.conversations import make_conversations
from finetune.package.parity import first_difference
from finetune.train import TrainResult
from finetune.train.files import sha256_file
from wiki import ModelRegistry
from wiki.engine import EngineError


@pytest.mark.anyio
@pytest.mark.requirement("S2-25")
async def test_500_conversations_are_read_alike(trained_run: TrainResult, tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    await package_gguf(trained_run.run_dir, path)
    report = await check_parity(trained_run.run_dir, path)
    assert (report.conversations, report.refused) == (500, 0)
    assert report.tokens > 100_000


@pytest.mark.anyio
async def test_a_template_with_tools_is_read_alike(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    model = Path(shutil.copytree(trained_run.model_dir, tmp_path / "model"))
    (model / "chat_template.jinja").write_text(
        "{% for m in messages %}<|im_start|>{{ m.role }}\n"
        "{% if m.tool_calls %}{% for c in m.tool_calls %}<call>{{ c.function.name }} "
        "{{ c.function.arguments | tojson }}</call>{% endfor %}{% endif %}"
        "{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    path = tmp_path / "m.gguf"
    await package_gguf(model, path)
    report = await check_parity(model, path, conversations=60)
    assert report.conversations == 60


def _changed(run: Path, folder: Path, change: str) -> Path:
    """Return a run whose tokenizer has something that a GGUF file has no place for."""
    changed = Path(shutil.copytree(run, folder))
    path = changed / "model" / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    if change == "normalizer":
        tokenizer["normalizer"] = {"type": "Lowercase"}
    else:
        next(t for t in tokenizer["added_tokens"] if t["content"] == "<|im_start|>")["rstrip"] = (
            True
        )
    path.write_text(json.dumps(tokenizer))
    manifest = json.loads((changed / "manifest.json").read_text())
    manifest["outputs"]["model/tokenizer.json"] = sha256_file(path)
    (changed / "manifest.json").write_text(json.dumps(manifest))
    return changed


@pytest.mark.anyio
@pytest.mark.parametrize("change", ["normalizer", "rstrip"])
async def test_a_difference_keeps_a_model_out_of_the_registry(
    trained_run: TrainResult, tmp_path: Path, change: str
) -> None:
    run = _changed(trained_run.run_dir, tmp_path / "run", change)
    registry = ModelRegistry(tmp_path / "models")
    with pytest.raises(ParityError, match=r"token \d+ is \[.*\] there and was \[") as caught:
        await publish(run, "pharma", registry, parity_conversations=100)
    error = caught.value
    assert error.trained is not None and error.served is not None
    assert error.trained[: error.position] == error.served[: error.position]
    assert error.trained[error.position] != error.served[error.position]
    assert error.conversation[-1]["role"] == "user"
    assert registry.list() == ()


@pytest.mark.anyio
async def test_a_model_without_a_template_is_refused(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    model = Path(shutil.copytree(trained_run.model_dir, tmp_path / "model"))
    (model / "chat_template.jinja").unlink()
    with pytest.raises(PackagingError, match="no chat template"):
        await check_parity(model, tmp_path / "m.gguf")


@pytest.mark.anyio
async def test_a_template_that_refuses_everything_proves_nothing(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    model = Path(shutil.copytree(trained_run.model_dir, tmp_path / "model"))
    (model / "chat_template.jinja").write_text("{{ raise_exception('no') }}")
    path = tmp_path / "m.gguf"
    await package_gguf(model, path)
    with pytest.raises((PackagingError, EngineError), match=r"refuses every|the engine"):
        await check_parity(model, path, conversations=5)


def test_the_first_difference_is_found() -> None:
    assert first_difference([1, 2, 3], [1, 2, 3]) is None
    assert first_difference([1, 2, 3], [1, 9, 3]) == 1
    assert first_difference([1, 2], [1, 2, 3]) == 2
    assert first_difference([], [1]) == 0
    assert first_difference(None, [1]) == 0
    assert first_difference(None, None) is None


def test_the_conversations_hold_what_is_hard() -> None:
    chats = make_conversations(500, tools=True)
    assert chats == make_conversations(500, tools=True)
    assert chats != make_conversations(500, seed=1, tools=True)
    messages = [message for chat in chats for message in chat]
    texts = [str(message["content"]) for message in messages]
    roles = Counter(str(message["role"]) for message in messages)
    assert {"system", "user", "assistant", "tool"} == set(roles)
    assert {"role": "system", "content": ""} in messages
    assert max(map(len, texts)) > 3000
    assert any("<|im_end|>" in text for text in texts)
    assert len({c for text in texts for c in text}) > 1000
    assert all(chat[-1]["role"] == "user" for chat in chats)
    plain = make_conversations(200)
    assert not any("tool_calls" in m or m["role"] == "tool" for chat in plain for m in chat)
