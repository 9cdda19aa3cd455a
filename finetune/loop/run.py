"""Runs a round of the loop: the stages in their order, each finished once.

A call finds the round that an earlier one left unfinished and goes on with it. A stage is done
again only where what it depends on has changed.
"""

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from anyio import CancelScope, to_thread
from pydantic import JsonValue

from finetune.licence import duties_of
from finetune.loop.folder import (
    RunFolder,
    StageManifest,
    digest,
    one_round_at_a_time,
    unfinished_round,
)
from finetune.loop.preflight import check_round
from finetune.loop.result import LoopResult, Outcome, StageReport
from finetune.loop.round import Confirm, OnProgress, Round, Stage, StageOutput, model_name
from finetune.loop.settings import asked_instead
from finetune.loop.stages import STAGES
from finetune.package.bundle import code_version
from finetune.train import base_sha256
from finetune.train.manifest import library_versions
from swarm.errors import DeclarationError
from wiki import LoopSpec, ModelRegistry, WikiSpec

__all__ = ["open_round", "run_loop"]


async def run_loop(
    wiki: WikiSpec,
    *,
    home: Path,
    beside: Path | None = None,
    store: str | None = None,
    project: str | None = None,
    confirm: Confirm | None = None,
    force: bool = False,
    fresh: bool = False,
    on_progress: OnProgress | None = None,
    on_stage: Callable[[StageReport], None] | None = None,
) -> LoopResult:
    """Make the next version of a wiki's model, and let it serve if it is better.

    Nothing is registered before the gate has decided. A call that is killed or fails leaves its
    round unfinished, and the next call goes on with it.

    Args:
        wiki: A wiki with a `loop`.
        home: The folder of the state: rounds, dataset versions, the model registry, the journal.
        beside: The folder that the declaration's paths start from; the working folder else.
        store: The journal's database; a file in the home else.
        project: Only rows of this project.
        confirm: Asked before a promotion where the declaration says `promote: ask`; without it
            the version is registered and waits.
        force: Train although there is nothing new, or the machine looks too small.
        fresh: Begin a new round although one is unfinished.
        on_progress: Called now and then.
        on_stage: Called at the end of each stage.

    Raises:
        LoopRunningError: Another process runs a round of this wiki.
        RetiredError: A hosted base or judge ends too soon.
        LicenceUnknownError: Nobody said under which licence the base is.
        NoSpaceError: The disk is too full.
        MachineTooSmallError: The memory is too small.
        LiveChangedError: Another version was promoted meanwhile.
        TrainingError: Training failed; the message says what to change.
        DeclarationError: The declaration is wrong.
        DataError: Rows, questions or the base cannot be used.
        SwarmError: What a stage raises besides.
    """
    _loop_of(wiki)
    lock = one_round_at_a_time(home, wiki.wiki_name)
    await to_thread.run_sync(lock.__enter__)
    try:
        open_now = partial(
            open_round,
            wiki,
            home=home,
            beside=beside,
            store=store,
            project=project,
            confirm=confirm,
            force=force,
            fresh=fresh,
            on_progress=on_progress,
        )
        round = await to_thread.run_sync(open_now)
        return await _run(round, on_stage)
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(lock.__exit__, None, None, None)


def open_round(
    wiki: WikiSpec,
    *,
    home: Path,
    beside: Path | None = None,
    store: str | None = None,
    project: str | None = None,
    confirm: Confirm | None = None,
    force: bool = False,
    fresh: bool = False,
    on_progress: OnProgress | None = None,
    run: RunFolder | None = None,
) -> Round:
    """Return the unfinished round of a wiki, or a new one, after all checks that need no rows.

    Args:
        wiki: A wiki with a `loop`.
        home: The folder of the state.
        beside: See `run_loop`; as are the following.
        store: The journal's database.
        project: Only rows of this project.
        confirm: Asked before a promotion.
        force: Skip estimates.
        fresh: Begin a new round.
        on_progress: Called now and then.
        run: The folder to use, for a round that is only looked at; none is made then.

    Raises:
        SwarmError: As `run_loop`.
    """
    spec = _loop_of(wiki)
    now = datetime.now(UTC)
    found = run or (None if fresh else unfinished_round(home, wiki.wiki_name))
    round = Round(
        wiki=wiki,
        spec=spec,
        home=home,
        beside=beside or Path(),
        store=store,
        project=project,
        run=found or RunFolder(home),
        name="",
        until=now.timestamp(),
        registry=ModelRegistry(home / "models"),
        model=model_name(wiki),
        is_forced=force,
        tell=on_progress or _quiet,
        confirm=confirm,
    )
    check_round(round)
    folder = round.base_folder
    round.base_sha256 = base_sha256(folder) if folder is not None else None
    if run is None:
        # A folder is made only for a round that may begin.
        round.run = found or RunFolder.begin(home, wiki.wiki_name, now)
        if force:
            round.run.force()
    known = round.run.read()
    if known is not None:
        round.name, round.until = known.name, known.started_at.timestamp()
        # What was asked for when it began, or later, holds until it ends.
        round.is_forced = force or known.is_forced
    return round


async def _run(round: Round, on_stage: Callable[[StageReport], None] | None) -> LoopResult:
    reports: list[StageReport] = []
    before: str | None = None
    done: StageManifest | None = None
    for stage in STAGES:
        done, is_kept = await _finish(round, stage, before)
        before = done.digest
        round.manifests[stage.name] = done
        reports.append(
            StageReport(
                stage=stage.name,
                state="kept" if is_kept else "done",
                seconds=done.seconds,
                outputs=done.outputs,
            )
        )
        if on_stage is not None:
            on_stage(reports[-1])
        if done.outcome is not None:
            break
    assert done is not None
    if done.outcome == "refused" and not round.spec.keep_refused:
        # After the decision is on the disk: killed before, nothing is trained once more.
        await to_thread.run_sync(_remove_weights, round)
    result = await to_thread.run_sync(_result, round, done, tuple(reports))
    await to_thread.run_sync(round.run.finish, result)
    return result


async def _finish(round: Round, stage: Stage, before: str | None) -> tuple[StageManifest, bool]:
    """Return the manifest of a stage, and whether an earlier call had finished it."""
    settings = await to_thread.run_sync(stage.settings, round)
    inputs: dict[str, JsonValue] = {
        "before": before,
        "version": stage.version,
        "settings": settings,
    }
    known = await to_thread.run_sync(round.run.manifest, stage.name)
    is_same = known is not None and digest(known.inputs) == digest(inputs)
    if known is not None and is_same and await to_thread.run_sync(round.run.is_whole, known):
        return known, True
    started, clock = datetime.now(UTC), time.monotonic()
    round.tell(stage.name, 0, None, "")
    output = await stage.work(round)
    seconds = _seconds(time.monotonic() - clock)
    made = partial(_manifest, round, stage, inputs, output, started, seconds)
    manifest = await to_thread.run_sync(made)
    await to_thread.run_sync(round.run.mark, manifest)
    return manifest, False


def _seconds(seconds: float) -> float:
    """Return a duration as manifests keep it."""
    return round(seconds, 3)


def _manifest(
    round: Round,
    stage: Stage,
    inputs: dict[str, JsonValue],
    output: StageOutput,
    started: datetime,
    seconds: float,
) -> StageManifest:
    return StageManifest(
        stage=stage.name,
        inputs=inputs,
        outputs=output.values,
        files=round.run.hashes(output.files),
        outcome=output.outcome,
        reasons=output.reasons,
        code=code_version(),
        libraries=library_versions(),
        started_at=started,
        seconds=seconds,
    )


def _remove_weights(round: Round) -> None:
    shutil.rmtree(round.path("package"), ignore_errors=True)
    for folder in round.run.path.glob("train-*"):
        shutil.rmtree(folder, ignore_errors=True)


def _result(round: Round, last: StageManifest, reports: tuple[StageReport, ...]) -> LoopResult:
    outcome: Outcome = last.outcome or round.output("promote", "outcome")
    reasons = last.reasons or round.manifests["gate"].reasons
    evaluated = round.manifests.get("evaluate")
    before = evaluated.outputs.get("live") if evaluated is not None else None
    version = round.output("promote", "version") if "promote" in round.manifests else None
    return LoopResult(
        wiki=round.wiki.wiki_name,
        name=round.name,
        run_dir=round.run.path,
        outcome=outcome,
        reasons=reasons,
        version=version,
        before=str(before) if before is not None else None,
        duties=None if version is None else duties_of(round.registry.get(version)),
        hint=asked_instead(round.wiki, round.model),
        stages=reports,
        finished_at=datetime.now(UTC),
    )


def _loop_of(wiki: WikiSpec) -> LoopSpec:
    if wiki.loop is None:
        raise DeclarationError(
            f"wikis.{wiki.wiki_name} has no `loop`; say there what it learns from, such as"
            " loop: {questions: questions.yaml}"
        )
    return wiki.loop


def _quiet(stage: str, done: int, total: int | None, remark: str) -> None:
    """Tell nobody."""
