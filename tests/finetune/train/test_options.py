"""The arguments that reach TRL, Weights & Biases and accelerate."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from finetune.train import LoraShape, TrainConfig, train
from finetune.train.launch import launch_arguments
from finetune.train.options import evaluation_steps, lora_config, trainer_options, training_steps
from swarm.errors import MissingExtraError

ROOT = Path(__file__).resolve().parents[3]


class Arguments:
    """Takes what SFTConfig takes, as far as the test looks at it."""

    def __init__(
        self,
        *,
        output_dir: str,
        report_to: str,
        warmup_ratio: float = 0.0,
        max_steps: int = -1,
        gradient_checkpointing: bool = False,
        gradient_checkpointing_kwargs: dict[str, bool] | None = None,
        save_strategy: str = "no",
        save_steps: int = 0,
        eval_steps: int = 0,
        eval_strategy: str = "no",
        load_best_model_at_end: bool = False,
        logging_nan_inf_filter: bool = True,
    ) -> None:
        self.values = dict(locals())


@pytest.mark.requirement("S2-29")
def test_the_tracker_and_the_older_names_reach_the_trainer(tmp_path: Path) -> None:
    config = TrainConfig(track="wandb", gradient_checkpointing=True, warmup=0.07, steps=9)
    values = trainer_options(Arguments, config, tmp_path).values
    assert values["report_to"] == "wandb"
    assert values["warmup_ratio"] == 0.07
    assert values["max_steps"] == 9
    assert values["gradient_checkpointing_kwargs"] == {"use_reentrant": False}
    assert values["logging_nan_inf_filter"] is False
    assert values["save_strategy"] == "no" and values["eval_strategy"] == "no"
    assert trainer_options(Arguments, TrainConfig(), tmp_path).values["report_to"] == "none"


@pytest.mark.requirement("S2-28")
def test_a_checkpoint_is_made_where_a_measurement_is(tmp_path: Path) -> None:
    config = TrainConfig(save_every=25)
    values = trainer_options(Arguments, config, tmp_path, evaluate_every=10).values
    assert (values["save_steps"], values["eval_steps"]) == (30, 10)
    assert values["load_best_model_at_end"]
    assert trainer_options(Arguments, config, tmp_path).values["save_steps"] == 25


@pytest.mark.requirement("S3-05")
def test_steps_are_counted_over_batches_and_processes() -> None:
    config = TrainConfig(batch_size=4, accumulation=2)
    assert training_steps(config, 100) == 13
    assert training_steps(config.model_copy(update={"processes": 2}), 100) == 7
    assert training_steps(config.model_copy(update={"steps": 5}), 100) == 5
    assert evaluation_steps(config, 1000) == 12
    assert evaluation_steps(config.model_copy(update={"evaluate_every": 3}), 1000) == 3


def test_an_adapter_is_put_on_the_layers_that_are_named() -> None:
    assert lora_config(LoraShape()).target_modules == "all-linear"
    named = lora_config(LoraShape(rank=4, targets=("q_proj", "v_proj")))
    assert set(named.target_modules) == {"q_proj", "v_proj"}
    assert named.r == 4


@pytest.mark.anyio
@pytest.mark.requirement("S2-29")
async def test_a_missing_tracker_is_named_before_the_start(
    facts_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    config = TrainConfig(track="wandb")
    with pytest.raises(MissingExtraError, match="wandb"):
        await train(config, data=facts_file, output_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.requirement("S0-27")
def test_one_extra_brings_the_training_libraries() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    names = {name: {re.split(r"[>=<\[ ]", one)[0] for one in extras[name]} for name in extras}
    assert {"torch", "transformers", "trl", "peft", "datasets", "accelerate"} <= names["train"]
    assert "unsloth" in names["unsloth"] and "wandb" in names["wandb"]
    core = {re.split(r"[>=<\[ ]", one)[0] for one in project["dependencies"]}
    assert not core & names["train"]


def test_several_processes_are_started_by_accelerate() -> None:
    assert launch_arguments(TrainConfig()) == ("-m",)
    arguments = launch_arguments(TrainConfig(processes=2, threads=3))
    assert arguments[:3] == ("-m", "accelerate.commands.launch", "--cpu")
    assert arguments[arguments.index("--num_processes") + 1] == "2"
    assert arguments[arguments.index("--num_cpu_threads_per_process") + 1] == "3"
    assert arguments[-1] == "--module"
    assert "--multi_gpu" in launch_arguments(TrainConfig(processes=2, device="auto"))
