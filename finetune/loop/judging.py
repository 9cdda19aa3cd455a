"""The stages that judge: both models are asked the same questions, and the gate decides.

What is judged is the packaged file, so that a loss by quantization counts. Beside it
stands the version in service; in the first round, which has none, the base of the training.
"""

import shutil
from pathlib import Path
from typing import NamedTuple

import anyio
from anyio import to_thread
from pydantic import JsonValue, ValidationError

from finetune.evaluate import (
    CompareSettings,
    Comparison,
    EvaluationProgress,
    EvaluationReport,
    ask_model,
    compare,
    write_report,
)
from finetune.evaluate.served import evaluate_reference
from finetune.loop.folder import digest, store_errors
from finetune.loop.round import Round, StageOutput
from finetune.loop.settings import hosted_config, policy_of, train_config
from finetune.loop.training import train_folder
from finetune.train import train
from finetune.train.files import sha256_file
from finetune.train.rows import read_data
from swarm import CompletionSpec
from swarm.errors import UnknownNameError
from swarm.files import write_atomically
from wiki import ModelVersion
from wiki.registry import NotPromotedError
from wiki.registry.reference import LIVE

__all__ = [
    "evaluate_models",
    "evaluate_settings",
    "gate_model",
    "gate_settings",
    "live_version",
]


class _Side(NamedTuple):
    """One of the two models."""

    name: str
    model: str
    """A reference, or a folder."""
    identity: str
    """Names its weights."""


def live_version(round: Round) -> ModelVersion | None:
    """Return the version that the new one replaces, or None before the first."""
    try:
        changes = [one for one in round.registry.history(round.model) if one.alias == LIVE]
        last = changes[-1] if changes else None
        if last is not None and last.by == round.author and last.action == "promote":
            # What the round itself put there, before it was killed, is not what it replaces.
            number = last.previous
            return None if number is None else round.registry.get(f"{round.model}@{number}")
        return round.registry.get(f"{round.model}@{LIVE}")
    except (NotPromotedError, UnknownNameError):
        return None


def evaluate_settings(round: Round) -> dict[str, JsonValue]:
    """Return what the answers depend on beside the new model."""
    live = live_version(round)
    return {
        "live": None if live is None else [live.version, live.manifest.sha256],
        "system": round.wiki.system,
        "max_tokens": round.spec.max_tokens,
    }


async def evaluate_models(round: Round) -> StageOutput:
    """Ask both models every question of the test."""
    if not round.output("freeze", "test_rows"):
        reason = "there is no question to test with: give held_out phrasings, or gate.golden"
        return StageOutput({}, outcome="not_enough_data", reasons=(reason,))
    rows = read_data(round.path("freeze", "test.jsonl"))
    live = await to_thread.run_sync(live_version, round)
    candidate = _Side("candidate", *_candidate(round))
    baseline = _Side("baseline", *await _baseline(round, live))
    values: dict[str, JsonValue] = {"live": None if live is None else str(live)}
    files: list[Path] = []
    for side in (candidate, baseline):
        results, report = await _answers(round, side, rows)
        files.append(results)
        values[side.name] = {
            "model": "base" if side.name == "baseline" and live is None else side.identity,
            "rows": report.rows,
            "exact": report.exact,
            "accuracy": _rounded(report.accuracy),
            "answers": results.relative_to(round.run.path).as_posix(),
        }
    return StageOutput(values, tuple(files))


def gate_settings(round: Round) -> dict[str, JsonValue]:
    """Return what the decision depends on beside the answers."""
    gate = round.gate.model_dump(mode="json")
    gate.pop("golden")
    return gate


async def gate_model(round: Round) -> StageOutput:
    """Decide whether the new model may serve, and leave the reports."""
    rows = read_data(round.path("freeze", "test.jsonl"))
    sides = [round.output("evaluate", name) for name in ("candidate", "baseline")]
    candidate, baseline = (str(round.path(side["answers"])) for side in sides)
    settings = CompareSettings(policy=policy_of(round), ask_general=False, judge=round.gate.judge)

    def told(title: str, done: int, total: int) -> None:
        round.tell("gate", done, total, title)

    found = await compare(
        candidate,
        baseline,
        rows,
        home=round.home,
        output_dir=round.path("gate"),
        settings=settings,
        on_progress=told,
    )
    files = await to_thread.run_sync(_write, round, found)
    decision = found.gate
    values: dict[str, JsonValue] = {
        "decision": decision.decision,
        "rows": decision.rows,
        "metrics": {
            one.metric: {
                "live": _rounded(one.live),
                "candidate": _rounded(one.candidate),
                "p_value": _rounded(one.p_value),
            }
            for one in decision.metrics
        },
    }
    if decision.decision == "promote":
        return StageOutput(values, files, reasons=decision.reasons)
    refused = decision.decision == "refuse"
    return StageOutput(
        values,
        files,
        outcome="refused" if refused else "not_enough_data",
        reasons=decision.reasons,
    )


def _rounded(value: float) -> float:
    """Return a figure as manifests keep it."""
    return float(f"{value:.6g}")


def _candidate(round: Round) -> tuple[str, str]:
    if round.is_hosted:
        model = str(round.output("train", "model"))
        return model, model
    weights = round.path(round.output("package", "weights"))
    return f"gguf/{weights.resolve()}", round.manifests["package"].digest


async def _baseline(round: Round, live: ModelVersion | None) -> tuple[str, str]:
    if live is not None:
        return f"registry/{live}", live.manifest.sha256
    if round.is_hosted:
        model = f"{round.spec.backend}/{round.spec.base}"
        return model, model
    if round.base_folder is not None:
        return str(round.base_folder), str(round.base_sha256)
    folder = await _untrained(round)
    return str(folder), sha256_file(folder / "manifest.json")


async def _untrained(round: Round) -> Path:
    """Return the model that training started from, where that was made from nothing."""
    data = train_folder(round) / "data.jsonl"
    folder = round.path(f"{train_folder(round).name}-base")
    if not await anyio.Path(folder / "manifest.json").is_file():
        await to_thread.run_sync(shutil.rmtree, folder, True)
        rows = int(round.output("freeze", "train_rows"))
        config = train_config(round, rows).model_copy(update={"method": "none", "validation": 0.0})
        await train(config, data=data, output_dir=folder)
    return folder


async def _answers(
    round: Round, side: _Side, rows: list[dict[str, JsonValue]]
) -> tuple[Path, EvaluationReport]:
    """Return the answers of a model; those that a call before this one was given are kept."""
    asked: dict[str, JsonValue] = {
        "model": side.identity,
        "rows": round.manifests["freeze"].digest,
        "system": round.wiki.system,
        "max_tokens": round.spec.max_tokens,
    }
    folder = round.path("evaluate", f"{side.name}-{digest(asked)[:12]}")
    results, known = folder / "answers.jsonl", folder / "figures.json"
    if known.is_file() and results.is_file():
        try:
            return results, EvaluationReport.model_validate_json(known.read_bytes())
        except ValidationError:
            known.unlink()

    def told(report: EvaluationProgress) -> None:
        round.tell("evaluate", report.rows, report.total_rows, side.name)

    if round.is_hosted and not side.model.startswith("registry/"):
        report = await evaluate_reference(
            side.model,
            rows,
            home=round.home,
            output_dir=folder / "raw",
            system=round.wiki.system,
            max_tokens=round.spec.max_tokens,
            declared=_address(round),
            on_progress=told,
        )
    else:
        report = await ask_model(
            side.model,
            rows,
            home=round.home,
            output_dir=folder / "raw",
            system=round.wiki.system,
            max_tokens=round.spec.max_tokens,
            on_progress=told,
        )

    def keep() -> None:
        with store_errors(folder):
            write_atomically(results, report.results.read_bytes())
            write_atomically(known, report.model_dump_json(indent=1) + "\n")

    await to_thread.run_sync(keep)
    return results, report


def _address(round: Round) -> CompletionSpec:
    """Return how the provider that trained the model is reached."""
    config = hosted_config(round)
    variables = (config.api_key_env,) if config.api_key_env else None
    return CompletionSpec(
        completion_name="evaluation",
        model=str(round.output("train", "model")),
        base_url=config.base_url,
        api_key_env=variables,
    )


def _write(round: Round, found: Comparison) -> tuple[Path, ...]:
    page, text = round.path("gate", "report.html"), round.path("gate", "report.md")
    decision = round.path("gate", "decision.json")
    with store_errors(round.run.path):
        page.parent.mkdir(exist_ok=True)
        write_report(found, page)
        write_report(found, text)
        write_atomically(decision, found.gate.model_dump_json(indent=1) + "\n")
    return page, text, decision
