"""The dataset version of a round, and the questions that its model is tested with.

No row of the test is trained on, whatever file it came from. Of two answers to one question the
newer is learnt, and what a person wrote before what a model said.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from anyio import to_thread
from pydantic import JsonValue

from finetune.dataset import DatasetError, SftRow, check_file, encode_row
from finetune.dataset.rules import plain_text
from finetune.dataset.sample import Sample
from finetune.dataset.sample_file import read_samples
from finetune.dataset.split import split_samples
from finetune.dataset.version import DatasetVersion, Removed
from finetune.dataset.versions import freeze, open_version, read_origins
from finetune.evaluate import GoldenSets
from finetune.evaluate.prompts import last_question
from finetune.loop.folder import RunFolder, digest, past_rounds, store_errors
from finetune.loop.round import SEED, Round, StageOutput
from finetune.questions import held_out_rows, normalise, read_questions
from finetune.train.files import sha256_file
from finetune.train.rows import dump_rows, read_chats, read_data
from swarm.errors import DataError, SwarmError
from swarm.files import write_atomically

__all__ = [
    "Chosen",
    "News",
    "choose",
    "compare_rows",
    "freeze_rows",
    "freeze_settings",
    "test_rows",
    "training_settings",
]

_Rows = list[dict[str, JsonValue]]


class Chosen(NamedTuple):
    """Rows by what they are for."""

    train: list[Sample]
    valid: list[Sample]
    test: _Rows
    removed: list[Removed]


def freeze_settings(round: Round) -> dict[str, JsonValue]:
    """Return what the dataset version depends on."""
    return {
        "held_out": round.spec.held_out,
        "golden": digest({"rows": list[JsonValue](test_rows(round))}),
        "seed": SEED,
        # These decide whether the rows are enough.
        "minimum_new_rows": round.spec.minimum_new_rows,
        "forced": round.is_forced,
        "training": digest(training_settings(round)),
    }


async def freeze_rows(round: Round) -> StageOutput:
    """Freeze the rows as a dataset version, or say that there is too little that is new."""
    return await to_thread.run_sync(_freeze, round)


def choose(round: Round, own: Sequence[Sample], captured: Sequence[Sample]) -> Chosen:
    """Return which rows are trained on, which are held out, and which are left out.

    Raises:
        DataError: The test's file or golden set cannot be read.
    """
    test = test_rows(round)
    asked = {_question(row) for row in test}
    removed: list[Removed] = []
    last: dict[str, Sample] = {}
    is_own: set[str] = set()
    since = _own_since(round, own)
    # What comes later replaces what answered the same question before.
    for group in (_by_time(captured, False), own, _by_time(captured, True)):
        for sample in group:
            key = normalise(_asked(sample))
            if key in asked:
                removed.append(Removed(id=sample.id, step="loop", code="in_test"))
                continue
            if key in is_own and since[last[key].id] > (sample.provenance.at or 0.0):
                # The owner has written another answer since this one was corrected.
                removed.append(Removed(id=sample.id, step="loop", code="answered_anew"))
                continue
            if (before := last.pop(key, None)) is not None and before.id != sample.id:
                removed.append(Removed(id=before.id, step="loop", code="answered_anew"))
            last[key] = sample
            is_own.discard(key)
            if group is own:
                is_own.add(key)
    train = [sample for key, sample in last.items() if key in is_own]
    learnt = [sample for key, sample in last.items() if key not in is_own]
    valid: list[Sample] = []
    if round.spec.held_out and learnt and round.gate.golden is None:
        try:
            parted = split_samples(learnt, valid=round.spec.held_out, seed=SEED)
            learnt, valid = parted.train, parted.valid
        except DataError:
            pass  # they all belong together, so that none can be held out
    if round.gate.golden is None:
        test = test + [_row(sample) for sample in valid]
    return Chosen(train + learnt, valid, test, removed)


def _own_since(round: Round, own: Sequence[Sample]) -> dict[str, float]:
    """Return what each own row is newer than, by its id: the start of a round without it.

    The rows of the first round are as old as can be: what is corrected is an answer to them. The
    time of the file would not do, since a copy of the same file is newer.
    """
    since: dict[str, float] = {}
    began = 0.0
    for run in reversed(past_rounds(round.home, round.wiki.wiki_name)):
        path = run.path / "collect" / "own.jsonl"
        if run.path == round.run.path or not path.is_file():
            continue
        try:
            seen, known = _samples(path), run.read()
        except SwarmError:
            continue  # damaged, or of another version
        for sample in seen:
            since.setdefault(sample.id, began)
        began = known.started_at.timestamp() if known is not None else began
    return {sample.id: since.get(sample.id, began) for sample in own}


def test_rows(round: Round) -> _Rows:
    """Return the questions of the test with their right answers, those that are declared.

    Raises:
        DataError: The file cannot be read, or has no held-out phrasings.
        UnknownNameError: There is no such golden set.
    """
    golden = round.gate.golden
    if golden is None:
        if round.spec.questions is None:
            return []
        return held_out_rows(read_questions(round.inside(round.spec.questions, "questions")))
    names = [golden] if isinstance(golden, str) else golden
    return [row for name in names for row in _golden(round, name)]


def _golden(round: Round, name: str) -> _Rows:
    path = round.inside(name, "gate.golden")
    if path.suffix in (".yaml", ".yml"):
        rows = held_out_rows(read_questions(path))
        if not rows:
            raise DataError(f"{path}: no question has held-out phrasings")
        return rows
    return read_data(path) if path.is_file() else GoldenSets(round.home / "golden").rows(name)


def training_settings(round: Round) -> dict[str, JsonValue]:
    """Return what a training depends on beside its rows."""
    spec = round.spec
    return {
        "base": spec.base,
        "base_sha256": round.base_sha256,
        "backend": spec.backend,
        "technique": spec.technique,
        "train": dict(spec.train),
        "system": round.wiki.system,
    }


def _freeze(round: Round) -> StageOutput:
    own = _samples(round.path("collect", "own.jsonl"))
    captured = _samples(round.path("curate", "kept.jsonl"))
    chosen = choose(round, own, captured)
    if not chosen.train:
        return _too_little("there is no row to train on; add questions, or corrections")
    news = compare_rows(round, chosen)
    if not news.is_enough and not round.is_forced:
        return _too_little(
            f"{news.new} new rows and {news.gone} that are gone since the round before;"
            f" minimum_new_rows is {round.spec.minimum_new_rows}"
        )
    version = freeze(
        round.home / "datasets",
        chosen.train,
        chosen.valid,
        removed=chosen.removed,
        config={"loop": round.wiki.wiki_name, "held_out": round.spec.held_out, "seed": SEED},
    )
    _check(version)
    test = round.path("freeze", "test.jsonl")
    with store_errors(round.run.path):
        test.parent.mkdir(exist_ok=True)
        write_atomically(test, dump_rows(chosen.test))
    removed: dict[str, JsonValue] = {}
    for one in chosen.removed:
        removed[one.code] = int(str(removed.get(one.code, 0))) + 1
    values: dict[str, JsonValue] = {
        "dataset": version.id,
        "train_sha256": sha256_file(version.path / "train.jsonl"),
        "train_rows": version.manifest.train_rows,
        "valid_rows": version.manifest.valid_rows,
        "test_rows": len(chosen.test),
        "new_rows": news.new,
        "removed": removed,
        "training": digest(training_settings(round)),
    }
    return StageOutput(values, (test,))


def _too_little(reason: str) -> StageOutput:
    return StageOutput({}, outcome="not_enough_data", reasons=(reason,))


def _check(version: DatasetVersion) -> None:
    """Raise unless the rows pass the check that every training file passes.

    Raises:
        DatasetError: They do not; with every problem.
    """
    path = version.path / "train.jsonl"
    report = check_file(path, minimum=1)
    if not report.is_ok:
        raise DatasetError(str(path), report.problems)


class News(NamedTuple):
    """What a round has that the last one that trained had not."""

    new: int
    """Rows to train on."""
    gone: int
    """Rows that are not there any more."""
    is_enough: bool
    """Whether that, or other settings of the training, make another model."""


def compare_rows(round: Round, chosen: Chosen) -> News:
    """Compare the rows of a round with those of the last one that trained."""
    known = _known_ids(round)
    new = sum(sample.id not in known.ids for sample in chosen.train)
    gone = len(known.ids - {sample.id for sample in (*chosen.train, *chosen.valid)})
    is_same = known.training in (None, digest(training_settings(round)))
    is_enough = not is_same or new + gone >= round.spec.minimum_new_rows
    return News(new, gone, is_enough)


class _Known(NamedTuple):
    ids: set[str]
    training: str | None
    """Names the settings of the training."""


def _known_ids(round: Round) -> _Known:
    """Return the rows of the last round that trained, and how it did."""
    for run in past_rounds(round.home, round.wiki.wiki_name):
        if run.path == round.run.path:
            continue
        try:
            if (found := _trained(run)) is None:
                continue
            version = open_version(round.home / "datasets", found[0])
            return _Known({origin.id for origin in read_origins(version)}, found[1])
        except SwarmError:
            continue  # it, or its dataset, is gone, damaged or of another version
    return _Known(set(), None)


def _trained(run: RunFolder) -> tuple[str, str] | None:
    """Return dataset and settings of a round whose model was judged.

    Where the questions were too few to decide, more of them make a round worth its training again.
    """
    frozen, result = run.manifest("freeze"), run.result()
    if result is None or result.outcome == "not_enough_data" or frozen is None:
        return None
    return str(frozen.outputs["dataset"]), str(frozen.outputs["training"])


def _samples(path: Path) -> list[Sample]:
    return list(read_samples(path)) if path.stat().st_size else []


def _by_time(samples: Iterable[Sample], is_corrected: bool) -> list[Sample]:
    """Return the wiki's own answers, or those that people wrote, the oldest first."""
    chosen = [s for s in samples if (s.provenance.is_corrected is True) == is_corrected]
    return sorted(chosen, key=lambda sample: sample.provenance.at or 0.0)


def _asked(sample: Sample) -> str:
    row = sample.row
    assert isinstance(row, SftRow)
    return next(plain_text(m.content) for m in reversed(row.messages) if m.role == "user")


def _row(sample: Sample) -> dict[str, JsonValue]:
    assert isinstance(sample.row, SftRow)
    found: dict[str, JsonValue] = json.loads(encode_row(sample.row))
    return found


def _question(row: dict[str, JsonValue]) -> str:
    (chat,) = read_chats([row], source="the test")
    return normalise(last_question(chat))
