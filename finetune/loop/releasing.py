"""The last stages: the better version is registered, put into service, and looked at there."""

import contextlib
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
from swarm.errors import StoreError, SwarmError, UnknownNameError
from wiki import ModelVersion
from wiki.errors import OutsideGroupsError
from wiki.registry import NotPromotedError
from wiki.registry.reference import CANDIDATE, LIVE

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
    return {"promote": round.spec.promote}


async def promote_version(round: Round) -> StageOutput:
    """Put the version into service, or make it the candidate, or ask."""
    number, judged = int(round.output("register", "version")), round.output("evaluate", "live")
    reference = f"{round.model}@{number}"
    outcome = await to_thread.run_sync(_outcome_before, round, number)
    if outcome is None:
        await to_thread.run_sync(_check_live, round, judged)
        if round.spec.promote == "ask" and not await _is_agreed(round, reference):
            outcome = "waiting"
        else:
            outcome = await to_thread.run_sync(_set_alias, round, number, judged)
    return StageOutput({"version": reference, "before": judged, "outcome": outcome})


def watch_settings(round: Round) -> dict[str, JsonValue]:
    """Return what the look depends on beside the promotion."""
    return {"questions": _LOOKED_AT}


async def watch_version(round: Round) -> StageOutput:
    """Ask the version some questions where it serves now; one that does not answer is taken back.

    The round is refused then: called again it would put the same version into service again.

    Raises:
        StoreError: What it answered cannot be kept; it serves on.
    """
    outcome: Outcome = round.output("promote", "outcome")
    if outcome == "waiting":
        return StageOutput({"looked_at": 0})
    alias = LIVE if outcome == "promoted" else CANDIDATE
    if (gone := await to_thread.run_sync(_gone, round, alias)) is not None:
        return gone
    reference = f"registry/{round.output('promote', 'version')}"
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
    except OutsideGroupsError:
        return StageOutput({"looked_at": 0})  # it serves on other machines than this one
    except SwarmError as error:
        after = await to_thread.run_sync(_take_back, round, alias)
        version = round.output("promote", "version")
        after_that = f"when it answers: wikiswarm models promote {version}"
        reasons = (f"it does not answer where it serves: {error}", after, after_that)
        return StageOutput({"looked_at": 0}, outcome="refused", reasons=reasons)
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


async def _is_agreed(round: Round, reference: str) -> bool:
    if round.confirm is None:
        return False
    version = await to_thread.run_sync(round.registry.get, reference)
    reasons = "; ".join(round.manifests["gate"].reasons)
    text = "\n".join([f"{reference}: {reasons}", *duties_of(version).lines()])
    # Who interrupts the program waits for no answer, and an answer after that promotes nothing.
    return await to_thread.run_sync(round.confirm, text, abandon_on_cancel=True)


def _set_alias(round: Round, number: int, judged: str | None) -> Outcome:
    # Clients of a trial are taken from those of a live version; where none is, nobody would ask it.
    if round.spec.promote == "candidate" and judged is not None:
        round.registry.alias(round.model, CANDIDATE, number, by=round.author)
        return "candidate"
    round.registry.verify(round.model, number)
    expected = 0 if judged is None else int(judged.rpartition("@")[2])
    try:
        round.registry.promote(round.model, number, by=round.author, expected=expected)
    except NotPromotedError:
        # Somebody else was quicker, maybe while a person was asked.
        _check_live(round, judged)
        raise
    return "promoted"


def _outcome_before(round: Round, number: int) -> Outcome | None:
    """Return what a call before this one, which was killed, did with the version; None for nothing.

    A version that somebody else took out of service waits for them.
    """
    history = round.registry.history(round.model)
    own = [one for one in history if one.by == round.author and one.version == number]
    if any(one.action == "alias" for one in own):
        return "candidate"
    if not own:
        return None
    last = [one for one in history if one.alias == LIVE][-1]
    # What the round itself took back is no success either; the watch says so.
    return "promoted" if last.version == number or last.by == round.author else "waiting"


def _check_live(round: Round, judged: str | None) -> None:
    live = live_version(round)
    if (None if live is None else str(live)) != judged:
        raise LiveChangedError(judged or "its base", str(live) if live else "nothing")


def _gone(round: Round, alias: str) -> StageOutput | None:
    """Return the end of a round whose version has lost its alias; None where it has it."""
    version = round.registry.get(str(round.output("promote", "version")))
    if alias in version.aliases:
        return None
    changes = [one for one in round.registry.history(round.model) if one.alias == alias]
    if changes and changes[-1].by == round.author:
        # A call before this one did it, and was killed.
        reason = "it did not answer where it served, and was taken back"
        return StageOutput({"looked_at": 0}, outcome="refused", reasons=(reason,))
    by = changes[-1].by if changes else "somebody"
    reason = f"it was {alias}, until {by} put another version there or took it away"
    return StageOutput({"looked_at": 0}, outcome="waiting", reasons=(reason,))


def _take_back(round: Round, alias: str) -> str:
    """Take the version out of service, unless somebody did; return what serves now."""
    number = int(round.output("register", "version"))
    if alias == CANDIDATE:
        with contextlib.suppress(UnknownNameError):
            if round.registry.get(f"{round.model}@{CANDIDATE}").version == number:
                round.registry.unalias(round.model, CANDIDATE, by=round.author)
        return "it is no candidate any more"
    if round.output("evaluate", "live") is None:
        return "it stays live, as nothing was in service before it"
    with contextlib.suppress(NotPromotedError):
        round.registry.rollback(round.model, by=round.author, expected=number)
    return f"{round.registry.get(f'{round.model}@{LIVE}')} is live again"


def _same_answers(round: Round, report: EvaluationReport) -> int:
    """Return how many answers are those that the judged file gave."""
    judged = read_results(round.path(round.output("evaluate", "candidate")["answers"]))
    served = read_results(report.results)
    return sum(one.answer == other.answer for one, other in zip(served, judged, strict=False))
