"""The last stages: the better version is registered, put into service, and looked at there."""

import time
from pathlib import Path

from anyio import to_thread
from pydantic import JsonValue

from finetune.evaluate import EvaluationReport, read_results
from finetune.evaluate.served import evaluate_reference
from finetune.licence import duties_of
from finetune.loop.errors import LiveChangedError
from finetune.loop.judging import live_version
from finetune.loop.result import Outcome
from finetune.loop.round import Round, StageOutput
from finetune.package import GgufFile
from finetune.publish import BuiltRun, register_run
from finetune.train.hosted import register_hosted
from finetune.train.rows import read_data
from swarm.errors import StoreError, SwarmError
from wiki import ModelVersion
from wiki.registry.reference import LIVE

__all__ = [
    "promote_settings",
    "promote_version",
    "register_settings",
    "register_version",
    "watch_settings",
    "watch_version",
]

_LOOKED_AT = 8
"""Questions that the promoted version is asked where it serves."""


def register_settings(round: Round) -> dict[str, JsonValue]:
    """Return what the version depends on beside the model."""
    return {"model": round.model, "licence": round.spec.licence}


async def register_version(round: Round) -> StageOutput:
    """Store the model as the next version, once, also where a call before was killed here."""
    register = _register_hosted if round.is_hosted else _register_run
    version = await to_thread.run_sync(register, round)
    return StageOutput({"version": version.version, "sha256": version.manifest.sha256})


def promote_settings(round: Round) -> dict[str, JsonValue]:
    """Return what the promotion depends on beside the version."""
    history = round.registry.history(round.model)
    taken_back = sum(one.by == round.author and one.action == "rollback" for one in history)
    return {"promote": round.spec.promote, "taken_back": taken_back}


async def promote_version(round: Round) -> StageOutput:
    """Put the version into service, or make it the candidate, or ask."""
    return await to_thread.run_sync(_promote, round)


def watch_settings(round: Round) -> dict[str, JsonValue]:
    """Return what the look depends on beside the promotion."""
    return {"questions": _LOOKED_AT}


async def watch_version(round: Round) -> StageOutput:
    """Ask the version some questions where it serves now; one that does not answer is taken back.

    Raises:
        ProviderError: The version does not answer; the one before serves again.
        EngineError: As well.
        StoreError: What it answered cannot be kept; it serves on.
    """
    outcome: Outcome = round.output("promote", "outcome")
    if outcome == "waiting":
        return StageOutput({"looked_at": 0})
    alias = LIVE if outcome == "promoted" else "candidate"
    if not await to_thread.run_sync(_has_alias, round, alias):
        return StageOutput({"looked_at": 0})  # somebody has put another one there
    reference = f"registry/{round.model}@{alias}"
    rows = read_data(round.path("freeze", "test.jsonl"))[:_LOOKED_AT]
    started = time.monotonic()
    try:
        report = await evaluate_reference(
            reference,
            rows,
            home=round.home,
            output_dir=round.path("watch"),
            system=round.wiki.system,
            max_tokens=round.spec.max_tokens,
        )
    except StoreError:
        raise  # of the disk, which says nothing about the version
    except SwarmError:
        if outcome == "promoted":
            await to_thread.run_sync(_take_back, round)
        raise
    same = await to_thread.run_sync(_same_answers, round, report)
    values: dict[str, JsonValue] = {
        "looked_at": report.rows,
        "same_answers": same,
        "reference": reference,
    }
    # How long it took is no output: equal rounds leave equal manifests.
    round.tell("watch", report.rows, report.rows, f"{time.monotonic() - started:.1f} s")
    return StageOutput(values)


def _register_run(round: Round) -> ModelVersion:
    notes = _notes(round)
    run_dir = round.path(round.output("train", "run"))
    weights = round.path(round.output("package", "weights"))
    sha256 = round.manifests["package"].files[round.output("package", "weights")]
    for known in reversed(_versions(round)):
        # A round whose settings were changed half-way may have left another model before.
        is_own = all(known.manifest.notes.get(key) == value for key, value in notes.items())
        if is_own and any(file.sha256 == sha256 for file in known.manifest.files):
            return known
    modelfile = round.output("package", "modelfile")
    gguf = GgufFile.model_validate({**round.output("package", "gguf"), "path": weights})
    built = BuiltRun(gguf, weights.parent / modelfile if modelfile else None)
    return register_run(
        run_dir,
        built,
        round.model,
        round.registry,
        metrics=_metrics(round),
        licence=round.spec.licence,
        dataset_sha256=round.output("freeze", "train_sha256"),
        files=_files(round),
        notes=notes,
    )


def _register_hosted(round: Round) -> ModelVersion:
    return register_hosted(
        round.path(round.output("train", "run")),
        round.model,
        round.registry,
        metrics=_metrics(round),
        licence=round.spec.licence,
        files=_files(round),
        notes=_notes(round),
    )


def _notes(round: Round) -> dict[str, JsonValue]:
    return {"loop": round.wiki.wiki_name, "round": round.name}


def _files(round: Round) -> dict[str, Path]:
    return {"decision.json": round.path("gate", "decision.json")}


def _versions(round: Round) -> tuple[ModelVersion, ...]:
    return tuple(v for v in round.registry.list() if v.name == round.model)


def _metrics(round: Round) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {
        f"{metric}_test": figures["candidate"]
        for metric, figures in round.output("gate", "metrics").items()
    }
    return {**found, "rows_test": round.output("gate", "rows")}


def _promote(round: Round) -> StageOutput:
    number = int(round.output("register", "version"))
    reference = f"{round.model}@{number}"
    judged = round.output("evaluate", "live")
    values: dict[str, JsonValue] = {"version": reference, "before": judged}
    if (known := _outcome_before(round, number)) is not None:
        return _promoted(values, known)
    _check_live(round, judged)
    how = round.spec.promote
    if how == "candidate":
        round.registry.alias(round.model, "candidate", number, by=round.author)
        return _promoted(values, "candidate")
    if how == "ask":
        reasons = "; ".join(round.manifests["gate"].reasons)
        duties = duties_of(round.registry.get(reference)).lines()
        text = "\n".join([f"{reference}: {reasons}", *duties])
        if round.confirm is None or not round.confirm(text):
            return _promoted(values, "waiting")
    round.registry.verify(round.model, number)
    _check_live(round, judged)  # somebody may have thought for long before they agreed
    round.registry.promote(round.model, number, by=round.author)
    return _promoted(values, "promoted")


def _outcome_before(round: Round, number: int) -> Outcome | None:
    """Return what a call before this one, which was killed, did with the version; None for nothing.

    A version that the round took back because it did not answer is promoted again; one that
    somebody else took out of service waits for them.
    """
    history = round.registry.history(round.model)
    own = [one for one in history if one.by == round.author and one.version == number]
    if any(one.alias != LIVE for one in own):
        return "candidate"
    changes = [one for one in history if one.alias == LIVE]
    if not own or (changes[-1].by == round.author and changes[-1].action == "rollback"):
        return None
    return "promoted" if changes[-1].version == number else "waiting"


def _check_live(round: Round, judged: str | None) -> None:
    live = live_version(round)
    if (None if live is None else str(live)) != judged:
        raise LiveChangedError(judged or "its base", str(live) if live else "nothing")


def _promoted(values: dict[str, JsonValue], outcome: Outcome) -> StageOutput:
    return StageOutput({**values, "outcome": outcome})


def _take_back(round: Round) -> None:
    # What somebody else has put there meanwhile stays.
    if round.output("evaluate", "live") is not None and _has_alias(round, LIVE):
        round.registry.rollback(round.model, by=round.author)


def _has_alias(round: Round, alias: str) -> bool:
    number = round.output("register", "version")
    return alias in round.registry.get(f"{round.model}@{number}").aliases


def _same_answers(round: Round, report: EvaluationReport) -> int:
    """Return how many answers are those that the judged file gave."""
    judged = read_results(round.path(round.output("evaluate", "candidate")["answers"]))
    served = read_results(report.results)
    return sum(one.answer == other.answer for one, other in zip(served, judged, strict=False))
