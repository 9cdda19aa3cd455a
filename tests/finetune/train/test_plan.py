"""Plans: the technique that the memory allows, the settings, the catalogue, the advice."""

import json
import os
from pathlib import Path

import pytest

from finetune.train import LoraShape, TrainResult, default_config
from finetune.train.advice import advise, payback
from finetune.train.bases import find_base, measure_data
from finetune.train.catalogue import base_model, catalogue, recommend
from finetune.train.hardware import Gpu, Hardware, find_hardware
from finetune.train.memory import estimate_memory, lora_weights
from finetune.train.plan import DataSize, Plan, make_plan
from swarm.errors import DataError, UnknownNameError

SIZE = DataSize(rows=1000, tokens=300_000, longest=1200)


def _plan(base: str, gigabytes: float | None, *, size: DataSize = SIZE, ram: float = 64) -> Plan:
    gpus = () if gigabytes is None else (Gpu(name="NVIDIA A100", memory_gb=gigabytes),)
    return make_plan(size, find_base(base), Hardware(gpus=gpus, memory_gb=ram, cores=8))


@pytest.mark.requirement("S2-14", "S0-28")
@pytest.mark.parametrize(
    ("base", "gigabytes", "technique", "fits"),
    [
        ("mistral-7b", 24, "lora", True),
        ("mistral-7b", 12, "qlora", True),
        ("mistral-7b", 4, "qlora", False),
        ("llama-3.2-3b", 80, "lora", True),
        ("qwen2.5-0.5b", None, "lora", True),
    ],
)
def test_the_memory_decides_the_technique(
    base: str, gigabytes: float | None, technique: str, fits: bool
) -> None:
    plan = _plan(base, gigabytes)
    assert (plan.technique, plan.fits) == (technique, fits)
    needed = plan.memory[plan.technique].total_gb
    assert any(f"{needed:.1f} GB" in reason for reason in plan.reasons)
    assert plan.config.quantization == ("4bit" if technique == "qlora" else "none")
    assert plan.config.device == ("cpu" if gigabytes is None else "auto")
    assert plan.seconds > 0


@pytest.mark.requirement("S2-14")
def test_the_estimates_are_those_of_the_usual_table() -> None:
    shape = base_model("mistral-7b").shape
    assert 8 <= estimate_memory(shape, "qlora", batch_size=2).total_gb <= 12
    assert 16 <= estimate_memory(shape, "lora").total_gb <= 24
    assert estimate_memory(shape, "full").total_gb > 80
    # PEFT counts as many for rank 16 on the seven layers of this model.
    assert lora_weights(shape, 16) == 41_943_040
    kept = estimate_memory(shape, "lora", checkpointing=False)
    assert kept.activations_gb > 3 * estimate_memory(shape, "lora").activations_gb
    parts = kept.weights_gb + kept.trained_gb + kept.activations_gb + kept.overhead_gb
    assert kept.total_gb == pytest.approx(parts, abs=0.03)


@pytest.mark.requirement("S2-15")
def test_the_usual_settings_depend_on_the_technique() -> None:
    lora, qlora = default_config("lora", "base"), default_config("qlora", "base")
    assert lora.lora == LoraShape(rank=16, alpha=16)
    assert (lora.learning_rate, lora.epochs, lora.warmup, lora.weight_decay) == (
        2e-4,
        3,
        0.03,
        0.01,
    )
    assert (lora.batch_size, lora.accumulation) == (4, 4)
    assert (qlora.batch_size, qlora.accumulation, qlora.quantization) == (2, 8, "4bit")
    assert default_config("full", "base").lora is None
    assert not lora.packing


@pytest.mark.requirement("S2-34", "S3-15", "S1-32")
def test_hints_name_cheaper_ways() -> None:
    skewed = DataSize(rows=100, tokens=10_000, longest=4000)
    plan = _plan("mistral-7b", 80, size=skewed)
    text = " ".join(plan.hints)
    assert "QLoRA is the cheapest for prototypes" in text
    assert "longest row has 4000 tokens" in text and "one run with several changes" in text
    assert any("without making it" in reason for reason in plan.reasons)
    assert plan.config.lora is not None and plan.config.lora.rank == 8
    large = _plan("gemma-2-9b", 24, size=DataSize(rows=10**6, tokens=10**9, longest=1000))
    assert any("spot" in hint and "--resume" in hint for hint in large.hints)
    small = _plan("llama-3.1-8b", None, ram=4)
    assert not small.fits
    assert any("4 GB are enough to run the core" in reason for reason in small.reasons)


def test_a_hosted_price_and_the_payback_are_part_of_the_plan() -> None:
    plan = make_plan(
        SIZE,
        find_base("scratch"),
        Hardware(memory_gb=8, cores=2),
        per_day=1000,
        hosted_price=lambda tokens: tokens * 3e-6,
    )
    assert plan.hosted_cost == pytest.approx(2.7)
    assert plan.payback is not None and plan.payback.days == 12.5
    assert plan.licence is None


@pytest.mark.requirement("S3-01", "S3-24")
def test_the_catalogue_tells_needs_strengths_and_duties() -> None:
    known = catalogue()
    assert known.as_of.year >= 2026
    names = {model.name for model in known.models}
    assert {"llama-3.1-8b", "mistral-7b", "phi-3-mini", "gemma-2-9b", "qwen2.5-7b"} <= names
    for model in known.models:
        assert model.unsloth.startswith("unsloth/") and model.strengths and model.use_cases
        assert known.licence(model).terms
        # The parts of the shape make up the weights that the model card counts.
        kv = model.shape.hidden // model.shape.heads * model.shape.kv_heads
        layer = 3 * model.shape.hidden * model.shape.ffn + 2 * model.shape.hidden * (
            model.shape.hidden + kv
        )
        tables = model.shape.vocab * model.shape.hidden * (1 if model.shape.tied else 2)
        counted = model.shape.layers * layer + tables
        assert counted == pytest.approx(model.shape.parameters, rel=0.06), model.name
    licence = _plan("llama-3.1-8b", 24).licence
    assert licence is not None
    duties = " ".join(licence.terms)
    assert "700 million" in duties and "Built with Llama" in duties
    assert "improve other models" in duties
    with pytest.raises(UnknownNameError, match="did you mean 'mistral-7b'"):
        base_model("mistral-7")
    assert base_model("Qwen/Qwen2.5-7B-Instruct").name == "qwen2.5-7b"


@pytest.mark.requirement("S3-02")
def test_a_base_is_recommended_for_a_use_case() -> None:
    assert recommend("code")[0].name == "qwen2.5-coder-7b"
    assert "llama-3.1-8b" in [model.name for model in recommend("portuguese")]
    assert recommend("rag")[0].name == "mistral-7b"
    assert all(m.shape.parameters < 4e9 for m in recommend("laptop"))
    with pytest.raises(UnknownNameError, match="no use case named 'cooking'"):
        recommend("cooking")


@pytest.mark.requirement("S3-03", "S3-04")
def test_training_is_advised_only_where_it_helps() -> None:
    assert advise("facts", rows=5000).answer == "retrieval"
    assert advise("format", rows=5000).answer == "structured output"
    assert advise("style", rows=10).answer == "prompt"
    assert advise("task", rows=500, per_day=50).answer == "prompt"
    assert advise("style", rows=500, per_day=5000).answer == "fine-tune"
    assert advise("task", rows=500, changes_often=True).answer == "retrieval"
    private = advise("task", rows=500, per_day=50, is_private=True)
    assert (private.answer, private.is_local) == ("fine-tune", True)
    assert "machines of your own" in private.reasons[0]


@pytest.mark.requirement("S3-04")
def test_the_payback_follows_from_the_daily_volume() -> None:
    assert payback(1000).days == 12.5
    assert payback(5000).days == pytest.approx(100 / 48, abs=0.06)
    never = payback(100, call_cost=0.001)
    assert never.days is None and "costs more a day" in never.reason
    assert "a prompt is less work" in payback(90, call_cost=0.1).reason


@pytest.mark.requirement("S0-28")
def test_gpus_are_read_from_nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(
        "#!/bin/sh\n"
        '[ "$1" = --query-gpu=name,memory.total ] || exit 9\n'
        "echo 'NVIDIA GeForce RTX 3090, 24576'\necho 'NVIDIA L4, 23034'\necho 'broken, [N/A]'\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = find_hardware()
    assert found.gpus[0] == Gpu(name="NVIDIA GeForce RTX 3090", memory_gb=25.8)
    assert len(found.gpus) == 2 and found.gpu == found.gpus[0]
    assert found.memory_gb > 0.5 and found.cores >= 1
    program.write_text("#!/bin/sh\nexit 9\n")
    assert find_hardware().gpus == ()


def test_a_folder_and_a_data_file_are_measured(
    trained_run: TrainResult, facts_file: Path, tmp_path: Path
) -> None:
    base = find_base(str(trained_run.run_dir))
    assert base.shape.parameters == pytest.approx(trained_run.parameters, rel=0.1)
    assert base.shape.layers == 2 and base.shape.tied
    rows, tokens, longest = measure_data(facts_file)
    assert rows == 12 and longest <= tokens < 12 * 100
    bad = tmp_path / "bad.jsonl"
    bad.write_text(json.dumps({"messages": []}))
    with pytest.raises(DataError, match="wikiswarm dataset check"):
        measure_data(bad)
