"""A training run from start to end, in its child process."""

import json
import sys
from pathlib import Path

import anyio
import pytest

from finetune.train import TrainConfig, TrainingError, TrainProgress, TrainResult, train
from finetune.train.files import sha256_file
from swarm.errors import DataError, MissingExtraError


@pytest.mark.requirement("S4-01")
def test_a_run_folder_holds_all_that_shaped_the_model(
    trained_run: TrainResult, tiny_config: TrainConfig
) -> None:
    run = trained_run.run_dir
    assert TrainConfig.model_validate_json((run / "config.json").read_text()) == tiny_config
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["inputs"] == {"data.jsonl": sha256_file(run / "data.jsonl")}
    assert manifest["seed"] == tiny_config.seed
    assert {"torch", "transformers", "trl"} <= manifest["libraries"].keys()
    assert set(manifest["outputs"]) >= {
        "model/model.safetensors",
        "model/tokenizer.json",
        "model/chat_template.jinja",
        "model/config.json",
    }
    assert manifest["outputs"]["model/model.safetensors"] == trained_run.model_sha256
    assert str(run) not in (run / "manifest.json").read_text()
    assert not list(run.glob("model.part")) and not list(run.glob("work"))


@pytest.mark.requirement("S2-18")
def test_progress_counts_up_to_the_last_step(
    trained_run: TrainResult, progress: list[TrainProgress], tiny_config: TrainConfig
) -> None:
    assert [p.step for p in progress] == list(range(1, trained_run.steps + 1))
    assert progress[-1].step == progress[-1].total_steps
    assert progress[-1].epoch == tiny_config.epochs
    assert progress[-1].loss < progress[0].loss / 10
    lines = (trained_run.run_dir / "metrics.jsonl").read_text().splitlines()
    assert TrainProgress.model_validate_json(lines[-2]) == progress[-1]
    assert json.loads(lines[-1])["done"]["parameters"] == trained_run.parameters


@pytest.mark.anyio
async def test_the_same_inputs_give_the_same_bytes(
    trained_run: TrainResult, tiny_config: TrainConfig, facts_file: Path, tmp_path: Path
) -> None:
    again = await train(tiny_config, data=facts_file, output_dir=tmp_path / "elsewhere")
    assert again.model_sha256 == trained_run.model_sha256
    assert again.manifest_sha256 == trained_run.manifest_sha256


@pytest.mark.anyio
async def test_a_used_folder_is_refused(
    trained_run: TrainResult, tiny_config: TrainConfig, facts_file: Path
) -> None:
    with pytest.raises(DataError, match="is not empty"):
        await train(tiny_config, data=facts_file, output_dir=trained_run.run_dir)


@pytest.mark.anyio
async def test_preference_training_needs_a_base(tmp_path: Path) -> None:
    row = {
        "input": {"messages": [{"role": "user", "content": "Hello?"}]},
        "preferred_output": [{"role": "assistant", "content": "Hello!"}],
        "non_preferred_output": [{"role": "assistant", "content": "No."}],
    }
    data = tmp_path / "dpo.jsonl"
    data.write_text(json.dumps(row))
    with pytest.raises(DataError, match="set base"):
        await train(TrainConfig(method="dpo"), data=data, output_dir=tmp_path / "run")


@pytest.mark.anyio
async def test_a_dying_process_shows_its_last_words(facts_file: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text('{"model_type": "llama"}')
    (base / "model.safetensors").write_bytes(b"these are no weights")
    config = TrainConfig(base=str(base))
    with pytest.raises(TrainingError) as caught:
        await train(config, data=facts_file, output_dir=tmp_path / "run")
    assert "Traceback" in (tmp_path / "run" / "log.txt").read_text()
    assert caught.value.tail
    assert caught.value.tail[-1] in str(caught.value)
    assert not (tmp_path / "run" / "manifest.json").exists()


@pytest.mark.anyio
async def test_cancelling_ends_the_process(
    facts_file: Path, tiny_config: TrainConfig, tmp_path: Path
) -> None:
    run = tmp_path / "cancelled"
    running: list[bool] = []
    with anyio.fail_after(120):
        with anyio.CancelScope() as scope:

            def stop(_: TrainProgress) -> None:
                running.append(_is_running(run))
                scope.cancel()

            long = tiny_config.model_copy(update={"epochs": 2000})
            await train(long, data=facts_file, output_dir=run, on_progress=stop)
    assert scope.cancelled_caught
    assert running[0]
    assert not _is_running(run)
    assert not (run / "manifest.json").exists()


def _is_running(run: Path) -> bool:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(run).encode() in path.read_bytes():
                return True
        except OSError:
            continue
    return False


@pytest.mark.anyio
@pytest.mark.parametrize("package", ["torch", "trl"])
async def test_a_missing_library_is_named_before_anything_is_made(
    package: str, facts_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'wikiswarm\[train\]'"):
        await train(TrainConfig(), data=facts_file, output_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()
