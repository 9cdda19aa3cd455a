"""Whatever JSON a line holds, a check ends with findings whose places are in the line."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from finetune.dataset import PROVIDERS, check_file, load_tokenizer
from finetune.train import TrainResult

WORDS = (
    *("messages", "role", "content", "tools", "tool_calls", "function", "arguments", "name", "id"),
    *("type", "prompt", "completion", "chosen", "rejected", "input", "preferred_output", "weight"),
    *("non_preferred_output", "tool_call_id", "parameters", "properties", "required", "wikiswarm"),
)
TEXTS = (
    *("user", "assistant", "system", "tool", "User", "Chatbot", "System", "function", "text"),
    *("", " ", "{}", "[", '{"a":1}', '["a"]', "image_url", "\u00e9\u0000", "a\nb", "object"),
)

PLAIN: tuple[Any, ...] = (*TEXTS, 0, 1, -1, 0.5, 10**30, True, False, None, [], {})


def value(rng: random.Random, depth: int) -> Any:
    """Return some JSON that resembles a row more than chance would have it."""
    kind = rng.random()
    if depth <= 0 or kind < 0.3:
        return rng.choice(PLAIN)
    if kind < 0.55:
        return [value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {rng.choice(WORDS): value(rng, depth - 1) for _ in range(rng.randrange(5))}


def message(rng: random.Random) -> Any:
    made: dict[str, Any] = {"role": rng.choice(TEXTS[:7]), "content": rng.choice(TEXTS)}
    if rng.random() < 0.2:
        made["content"] = value(rng, 2)
    if rng.random() < 0.2:
        arguments = rng.choice(['{"a":1}', {"a": 1}, value(rng, 2)])
        function = {"name": "f", "arguments": arguments}
        made |= {"role": "assistant", "tool_calls": [{"id": "c", "function": function}]}
    if made["role"] == "tool" and rng.random() < 0.9:
        made["tool_call_id"] = rng.choice(TEXTS)
    if rng.random() < 0.1:
        made[rng.choice(WORDS)] = value(rng, 2)
    return made if rng.random() < 0.98 else value(rng, 2)


def messages(rng: random.Random) -> list[Any]:
    return [message(rng) for _ in range(rng.randrange(4))]


def row(rng: random.Random) -> Any:
    if (kind := rng.random()) < 0.4:
        return {"messages": messages(rng)}
    if kind < 0.6:
        return {key: messages(rng) for key in ("prompt", rng.choice(["completion", "chosen"]))}
    if kind < 0.7:
        return {key: messages(rng) for key in ("prompt", "chosen", "rejected")}
    if kind < 0.8:
        return {key: rng.choice(TEXTS) for key in ("prompt", "completion")}
    made = {key: value(rng, 3) for key in rng.sample(WORDS, rng.randrange(4))}
    return made if kind < 0.95 else value(rng, 3)


@pytest.fixture
def lines(tmp_path: Path) -> tuple[int, Path]:
    """Two hundred lines, other ones in each run."""
    seed = random.SystemRandom().randrange(10**9)
    rng = random.Random(seed)
    path = tmp_path / "rows.jsonl"
    text = "\n".join(json.dumps(row(rng), ensure_ascii=rng.random() < 0.5) for _ in range(200))
    path.write_text(text, encoding="utf-8")
    return seed, path


@pytest.mark.parametrize("provider", PROVIDERS)
def test_any_json_ends_in_findings(provider: str, lines: tuple[int, Path]) -> None:
    seed, path = lines
    texts = path.read_text(encoding="utf-8").split("\n")
    report = check_file(path, provider=provider, minimum=0, max_problems=100_000)
    for problem in (*report.problems, *report.warnings):
        if problem.line:
            size = len(texts[problem.line - 1])
            assert 1 <= problem.column <= size, f"seed {seed}: {problem}"
    assert report.rows <= 200
    assert "<svg" in report.html(date=""), f"seed {seed}"
    assert report.markdown(date=""), f"seed {seed}"


def test_any_json_is_counted_by_a_model(lines: tuple[int, Path], trained_run: TrainResult) -> None:
    seed, path = lines
    tokenizer = load_tokenizer(trained_run.run_dir)
    for provider in ("openai", "trl"):
        report = check_file(path, provider=provider, minimum=0, tokenizer=tokenizer)
        counted = report.fields[-1].count if report.fields else 0
        assert counted + report.codes.get("template_refused", 0) == report.rows, f"seed {seed}"
