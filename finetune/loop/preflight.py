"""What is refused before anything is spent: a base that ends, has no licence, or does not fit."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

from finetune.licence import licence_of_run
from finetune.loop.errors import LicenceUnknownError, MachineTooSmallError, NoSpaceError
from finetune.loop.gathering import pipeline_of
from finetune.loop.round import Round
from finetune.loop.settings import hosted_config, policy_of, quantisation_of, train_config
from finetune.retired import refuse_retired
from finetune.train.bases import PlannedBase, find_base
from finetune.train.catalogue import WeightShape
from finetune.train.child import check_installed
from finetune.train.failure import no_gpu
from finetune.train.hardware import Hardware, find_hardware
from finetune.train.hosted import RetiredError
from finetune.train.memory import lora_weights
from finetune.train.plan import DataSize, Plan, make_plan
from swarm.completions.retired import service
from swarm.errors import DataError, UnknownNameError
from wiki.registry.reference import check_name

__all__ = [
    "check_round",
    "check_size",
    "disk_free",
    "disk_needed",
    "plan_training",
]

_SLACK = 100_000_000
"""Bytes for data, logs and reports."""


def check_round(round: Round, today: date | None = None) -> None:
    """Refuse a round that cannot end well, by all that is known without its rows.

    Raises:
        RetiredError: The base, the judge or the service ends.
        LicenceUnknownError: Nobody said under which licence the base is.
        DeclarationError: The declaration is wrong.
        CurationError: A step of the curation is.
        DataError: The base is no model folder.
        TrainingStopped: The technique needs a GPU, and there is none.
        MissingExtraError: A library is not installed.
    """
    spec = round.spec
    check_name(round.model, "model")
    policy_of(round)
    _check_files(round)
    pipeline_of(round)
    if round.gate.judge is not None:
        refuse_retired([round.gate.judge], what="the judge", home=round.home, today=today)
    if round.is_hosted:
        config = hosted_config(round)
        if config.base_url is None:
            refuse_retired([f"{spec.backend}/{spec.base}"], what="the base", today=today)
            _refuse_service(spec.backend, today)
        return
    quantisation_of(round)
    train_config(round, 1)
    check_installed("torch", "transformers", "trl", "peft", "datasets", "tokenizers")
    check_installed("xllamacpp", "gguf", extra="gguf")
    check_installed("numpy", extra="evaluate")
    base = _planned_base(round)
    folder = round.base_folder
    if folder is not None and spec.licence is None and licence_of_run(folder) is None:
        raise LicenceUnknownError(round.wiki.wiki_name, spec.base)
    if spec.technique == "qlora" and base is not None and find_hardware().gpu is None:
        raise no_gpu("the technique qlora")


def _check_files(round: Round) -> None:
    """Raise unless the files that the declaration names are there, each named by its place.

    Raises:
        DeclarationError: One leads out of the document's folder.
        DataError: One is missing.
    """
    spec, golden = round.spec, round.gate.golden or ()
    named = [(spec.questions, "questions")]
    named += [(spec.curation, "curation")] if isinstance(spec.curation, str) else []
    for name in (golden,) if isinstance(golden, str) else golden:
        # Without such an ending it is the name of a golden set.
        if name.endswith((".yaml", ".yml", ".jsonl")):
            named.append((name, "gate.golden"))
    for name, field in named:
        if name is not None and not (path := round.inside(name, field)).is_file():
            where = f"wikis.{round.wiki.wiki_name}.loop.{field}"
            raise DataError(f"{where}: there is no file {path}; make it, or correct the name")


def _planned_base(round: Round) -> PlannedBase | None:
    """Return the base as a plan sees it; None for a model made from nothing.

    Raises:
        DataError: There is no such folder.
    """
    folder = round.base_folder
    if folder is None:
        return None
    if not folder.is_dir():
        where = f"wikis.{round.wiki.wiki_name}.loop.base"
        try:
            known = find_base(round.spec.base)
        except UnknownNameError:
            raise DataError(f"{where}: there is no folder {folder}") from None
        raise DataError(
            f"{where}: {known.name} has to be fetched first, for example with: hf download"
            f" {known.name} --local-dir base; then name that folder"
        )
    return find_base(str(folder))


def plan_training(round: Round, size: DataSize, hardware: Hardware | None = None) -> Plan:
    """Return technique, memory, time and cost of a training on this machine."""
    base = _planned_base(round) or find_base("scratch")
    return make_plan(size, base, hardware or find_hardware())


def check_size(
    round: Round, size: DataSize, *, free: int | None = None, hardware: Hardware | None = None
) -> None:
    """Refuse a round that the disk or the memory cannot hold.

    Args:
        round: The round.
        size: Its rows.
        free: Bytes that are free; what the disk of the home says when absent.
        hardware: The machine; this one when absent.

    Raises:
        NoSpaceError: The disk is too full.
        MachineTooSmallError: The memory is too small, by the plan.
    """
    if round.is_hosted or round.is_forced:
        return
    # What an earlier call of this round has written is not written again.
    needed = max(_SLACK, disk_needed(round) - _held(round.run.path))
    left = disk_free(round.home) if free is None else free
    if left < needed:
        raise NoSpaceError(round.home, needed, left)
    plan = plan_training(round, size, hardware)
    if round.base_folder is None:
        fits, reasons = plan.fits, plan.reasons
    else:
        need, room = plan.memory[round.spec.technique].total_gb, _room(plan)
        fits = need <= room
        said = f"{round.spec.technique} takes about {need:.1f} GB, and {room:.1f} GB may be used"
        reasons = (said, *plan.reasons)
    if not fits:
        raise MachineTooSmallError(reasons)


def disk_needed(round: Round) -> int:
    """Return the bytes that a training, its checkpoints and its packages take, roughly.

    Two checkpoints of 12 bytes for each trained weight (itself and Adam's two moments), the model
    in 32 bits, its GGUF in 16 bits on the way, the file that is served, and its copy.
    """
    if round.is_hosted:
        return _SLACK
    shape = _shape(round)
    is_adapter = round.base_folder is not None and round.spec.technique != "full"
    trained = lora_weights(shape, 16) if is_adapter else shape.parameters
    return _SLACK + 2 * 12 * trained + (4 + 2 + 2 + 2) * shape.parameters


def _held(folder: Path) -> int:
    """Return the bytes of the files in a folder, which need not be there."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def disk_free(folder: Path) -> int:
    """Return the bytes that are free on the disk of a folder, which need not be there yet."""
    place = folder.resolve()
    return shutil.disk_usage(next(one for one in (place, *place.parents) if one.is_dir())).free


def _shape(round: Round) -> WeightShape:
    base = _planned_base(round)
    return base.shape if base is not None else find_base("scratch").shape


def _room(plan: Plan) -> float:
    gpu = plan.hardware.gpu
    return 0.9 * (gpu.memory_gb if gpu is not None else plan.hardware.memory_gb)


def _refuse_service(backend: str, today: date | None) -> None:
    known = service(backend)
    if known is not None and (today or _today()) >= known.ends:
        hint = "name a host that still speaks its API in train.base_url, or train locally"
        raise RetiredError(known.name, known.ends, known.detail, hint=hint)


def _today() -> date:
    return datetime.now(UTC).date()
