"""lm-eval: what it is told, and what is read of its results. test_lm_eval.py runs it."""

import importlib.util
import json
from pathlib import Path

import pytest

from finetune.evaluate.benchmarks import (
    BenchmarkSettings,
    ModelServer,
    lm_eval_arguments,
    read_benchmarks,
    run_benchmarks,
    serve_model,
)
from finetune.evaluate.comparison import benchmark_deltas
from finetune.publish import publish
from finetune.train import TrainResult
from swarm import Catalog, CompletionRequest, CompletionSpec, Host, Message
from swarm.errors import DataError, MissingExtraError
from wiki import ModelRegistry
from wiki.registry.errors import CorruptedVersionError

SERVER = ModelServer("http://127.0.0.1:8000/v1/", "facts", "very-secret")
RESULTS = {
    "results": {
        "mmlu": {"alias": "mmlu", "acc,none": 0.25, "acc_stderr,none": 0.01},
        "gsm8k": {"exact_match,strict-match": 0.5, "exact_match_stderr,strict-match": "N/A"},
    }
}


def _option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1]


@pytest.mark.requirement("S2-22")
def test_tasks_that_compare_probabilities_ask_for_completions() -> None:
    settings = BenchmarkSettings(tokenizer="model", limit=20, few_shot=5, seed=3)
    arguments = lm_eval_arguments(SERVER, settings, Path("out"))
    assert _option(arguments, "--model") == "local-completions"
    assert _option(arguments, "--tasks") == "mmlu,hellaswag,truthfulqa_mc2"
    given = dict(part.split("=", 1) for part in _option(arguments, "--model_args").split(","))
    assert given == {
        "model": "facts",
        "base_url": "http://127.0.0.1:8000/v1/completions",
        "num_concurrent": "4",
        "max_retries": "3",
        "tokenized_requests": "False",
        "tokenizer": "model",
    }
    assert [_option(arguments, name) for name in ("--limit", "--num_fewshot", "--seed")] == [
        "20",
        "5",
        "3",
    ]
    assert "--apply_chat_template" not in arguments
    assert "very-secret" not in " ".join(arguments)


@pytest.mark.requirement("S2-22")
def test_tasks_that_read_an_answer_ask_a_chat() -> None:
    settings = BenchmarkSettings(tasks=("gsm8k",), kind="chat", task_folder=Path("tasks"))
    arguments = lm_eval_arguments(SERVER, settings, Path("out"))
    assert _option(arguments, "--include_path") == "tasks"
    assert _option(arguments, "--model") == "local-chat-completions"
    assert "base_url=http://127.0.0.1:8000/v1/chat/completions" in arguments[3]
    assert "--apply_chat_template" in arguments


def test_what_lm_eval_could_misread_is_refused() -> None:
    with pytest.raises(DataError, match="need `tokenizer`"):
        lm_eval_arguments(SERVER, BenchmarkSettings(), Path("out"))
    odd = SERVER._replace(model="facts,trust_remote_code=True")
    with pytest.raises(DataError, match="comma or '='"):
        lm_eval_arguments(odd, BenchmarkSettings(kind="chat"), Path("out"))
    with pytest.raises(ValueError, match="tasks"):
        BenchmarkSettings(tasks=("--help",))


@pytest.mark.anyio
@pytest.mark.requirement("S2-22")
@pytest.mark.skipif(importlib.util.find_spec("lm_eval") is not None, reason="it is installed")
async def test_without_lm_eval_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'wikiswarm\[lm-eval\]'"):
        await run_benchmarks(SERVER, BenchmarkSettings(kind="chat"), output_dir=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.anyio
async def test_only_models_of_this_machine_are_served(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="address of its server"):
        async with serve_model("openai/any", home=tmp_path, log=tmp_path / "log"):
            pass


@pytest.mark.anyio
@pytest.mark.requirement("S2-22")
async def test_a_version_of_the_registry_is_served_for_them(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    registry = ModelRegistry(tmp_path / "models")
    version = await publish(trained_run.run_dir, "facts", registry, parity_conversations=0)
    async with serve_model("registry/facts@1", home=tmp_path, log=tmp_path / "log") as server:
        spec = CompletionSpec(
            completion_name="served",
            model=f"openai/{server.model}",
            base_url=server.base_url,
            api_key_env="SERVED_KEY",
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SERVED_KEY", server.api_key)
            async with Host(catalog=Catalog(), home=tmp_path) as host:
                completion = await host.completion(spec)
                asked = [Message(role="user", content="When do you open?")]
                answer = await completion.complete(CompletionRequest(messages=asked))
    assert answer.message.content == "We open at nine."
    (version.path / "weights.gguf").chmod(0o644)
    with (version.path / "weights.gguf").open("ab") as file:
        file.write(b"x")
    with pytest.raises(CorruptedVersionError):
        async with serve_model("registry/facts@1", home=tmp_path, log=tmp_path / "log"):
            pass


@pytest.mark.requirement("S2-22", "S2-23")
def test_results_are_read_and_compared(tmp_path: Path) -> None:
    path = tmp_path / "facts" / "results_2026-11-25T03-00-00.json"
    path.parent.mkdir()
    path.write_text(json.dumps(RESULTS), encoding="utf-8")
    scores = read_benchmarks(tmp_path)
    assert [(one.task, one.metric, one.value, one.stderr) for one in scores] == [
        ("gsm8k", "exact_match,strict-match", 0.5, None),
        ("mmlu", "acc", 0.25, 0.01),
    ]
    better = [one.model_copy(update={"value": one.value + 0.1}) for one in scores]
    deltas = benchmark_deltas(scores[1:], better)
    assert [(one.task, one.delta) for one in deltas] == [("mmlu", pytest.approx(0.1))]
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(DataError, match="no results of lm-eval"):
        read_benchmarks(tmp_path)
    with pytest.raises(DataError, match="left no results"):
        read_benchmarks(tmp_path / "none")
