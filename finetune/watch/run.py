"""One look at a wiki: reads what is new, raises alarms, and does what they ask for."""

import time
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread
from pydantic import BaseModel, ConfigDict

from finetune.watch.actions import act
from finetune.watch.alarm import Alarm
from finetune.watch.journal import read_answers, read_ratings
from finetune.watch.log import read_log
from finetune.watch.observed import FALLBACK, LOG, Answered, Rated
from finetune.watch.questions import encode_questions
from finetune.watch.state import (
    LogPlace,
    WatchState,
    append_alarm,
    read_alarms,
    read_state,
    write_state,
)
from finetune.watch.stream import Move, Stream, StreamLimits, question_moves
from swarm import Catalog
from swarm.bus import BusEvent
from swarm.errors import MissingExtraError, StoreError
from swarm.locks import folder_lock
from swarm.store import Database
from wiki import WIKIS, ModelRegistry, WatchSpec, WikiSpec

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ["ALARM_TOPIC", "StreamSummary", "Watched", "watch_folder", "watch_wiki"]

ALARM_TOPIC = "drift-alarm"
"""The topic on which alarms are told to those that listen; the payload is the alarm's fields."""
_LOG_AT_ONCE = 1000


class StreamSummary(BaseModel):
    """How one model does."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    model: str
    answers: int
    rated: int
    mean: float | None
    """Of the ratings that count as usual; None before there are ten."""


class Watched(BaseModel):
    """What one look found."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    wiki_name: str
    new_ratings: int
    new_answers: int
    streams: tuple[StreamSummary, ...]
    alarms: tuple[Alarm, ...]
    """Those that were raised, or carried out, by this look."""
    problems: tuple[str, ...]
    """What could not be read, and what could not be watched."""


def watch_folder(home: Path, wiki_name: str) -> Path:
    """Return where the state, the alarms and the report of a wiki lie."""
    return home / "watch" / wiki_name


async def watch_wiki(
    wiki_name: str,
    catalog: Catalog,
    database: Database,
    home: Path,
    *,
    log: Path | None = None,
    start: Callable[[str], None] | None = None,
) -> Watched:
    """Look at what is new of a wiki since the last look, and act on alarms.

    Several processes may look at the same time: one waits for the other, and each answer and each
    rating counts once. A process that is killed has done all of a look or nothing, except that an
    alarm's line may be written, and its rollback made, by the next look.

    Args:
        wiki_name: A wiki of the catalog; its `watch` says what is done.
        catalog: The declarations; alarms are told on its bus, on the topic `ALARM_TOPIC`.
        database: The journal's database.
        home: The folder of the state and of the model registry.
        log: A log of predictions to read besides the journal.
        start: Starts the training of a wiki's next version, for `on_alarm: loop`. It is called
            when all else is written, at most once for each version.

    Raises:
        UnknownNameError: No such wiki is declared.
        DataError: The log or the state cannot be read.
        StoreError: The journal or the home failed.
        ProviderError: The model that compares questions failed; the next look tries again.
    """
    wiki = catalog.registry(WIKIS).get(wiki_name)
    folder = watch_folder(home, wiki_name)
    async with _locked(folder):
        state = read_state(folder)
        # The numbers go on also where somebody removed the state to begin anew.
        told = await to_thread.run_sync(read_alarms, folder)
        state.raised = max([state.raised, *(alarm.number for alarm in told)])
        look = _Look(wiki, state, home)
        await look.read_journal(database)
        if log is not None:
            await to_thread.run_sync(look.read_predictions, log)
        await to_thread.run_sync(write_state, folder, look.state)
        model = _model_of(wiki, catalog)
        registry = ModelRegistry(home / "models")
        alarms: list[Alarm] = []
        starts = False
        while look.state.pending:
            alarm = look.state.pending[0]
            done = act(alarm, model, registry, look.state, has_loop=start is not None)
            alarm = alarm.model_copy(update={"outcome": done.outcome})
            append_alarm(folder, alarm)
            look.state.pending.pop(0)
            write_state(folder, look.state)
            starts = starts or done.starts_loop
            alarms.append(alarm)
    for alarm in alarms:
        payload = {"payload": alarm.model_dump(mode="json")}
        catalog.bus.publish(BusEvent(ALARM_TOPIC, "custom", "", payload))
    if starts and start is not None:
        await to_thread.run_sync(start, wiki_name)
    return look.result(alarms)


@asynccontextmanager
async def _locked(folder: Path) -> "AsyncGenerator[None]":
    lock = folder_lock(folder)

    def enter() -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Invariant: one process at a time is between reading a state and having written it.
            lock.__enter__()
        except OSError as error:
            raise StoreError(f"cannot use {folder}: {error.strerror or error}") from error

    await to_thread.run_sync(enter)
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


def _model_of(wiki: WikiSpec, catalog: Catalog) -> str | None:
    """Return the reference of a wiki's own model."""
    if wiki.completion is not None:
        return catalog.completions.get(wiki.completion).model
    return wiki.model


def _version_of(stream: str) -> str | None:
    """Return the model of the registry whose version a stream is; None for all others."""
    model, at, _ = stream.rpartition("@")
    is_own = model.startswith("registry/") and not stream.endswith(FALLBACK)
    return model if at and is_own else None


class _Look:
    """Takes in what is new."""

    def __init__(self, wiki: WikiSpec, state: WatchState, home: Path) -> None:
        self.state = state
        self._wiki_name = wiki.wiki_name
        self._spec = wiki.watch or WatchSpec()
        self._home = home
        self._limits = StreamLimits(
            window=self._spec.window,
            false_alarms=self._spec.false_alarms,
            baseline=self._spec.baseline,
            has_signals=self._spec.signals,
        )
        self._ratings = self._answers = 0
        self._problems: list[str] = []
        self._adopt()

    async def read_journal(self, database: Database) -> None:
        unheard = 0
        while True:
            ratings, number = await read_ratings(database, self._wiki_name, self.state.feedback)
            if number is None:
                break
            self.state.feedback = number
            for rated in ratings:
                if self.state.is_heard(rated.client_id, rated.at, self._spec.per_client):
                    self._rate(rated)
                else:
                    unheard += 1
        if unheard:
            most = f"more than {self._spec.per_client} of one client on one day (`per_client`)"
            self._problems.append(f"{unheard:,} new ratings do not count: {most}")
        while True:
            answers, place = await read_answers(database, self._wiki_name, self.state.answers)
            if place is None:
                break
            self.state.answers = place
            await to_thread.run_sync(self._answer, answers)

    def read_predictions(self, path: Path) -> None:
        key = str(path.resolve())
        place = self.state.logs.get(key, LogPlace())
        reading = read_log(path, offset=place.offset, line=place.line)
        self._problems += reading.problems
        self.state.logs[key] = LogPlace(offset=reading.offset, line=reading.line)
        name = f"{LOG}{path.name}"
        for one in reading.predictions:
            if one.user_feedback is not None:
                self._rate(Rated(name, one.user_feedback, one.timestamp))
        answers = [Answered(name, one.query, one.response) for one in reading.predictions]
        for first in range(0, len(answers), _LOG_AT_ONCE):
            self._answer(answers[first : first + _LOG_AT_ONCE])

    def result(self, alarms: Sequence[Alarm]) -> Watched:
        streams = tuple(
            StreamSummary(
                model=model,
                answers=stream.answers,
                rated=stream.rated,
                mean=None if stream.ratings.mean is None else round(stream.ratings.mean, 4),
            )
            for model, stream in self.state.streams.items()
        )
        return Watched(
            wiki_name=self._wiki_name,
            new_ratings=self._ratings,
            new_answers=self._answers,
            streams=streams,
            alarms=tuple(alarms),
            problems=tuple(self._problems),
        )

    def _adopt(self) -> None:
        """Let a changed declaration count for what is watched already."""
        for stream in self.state.streams.values():
            stream.ratings.first = self._limits.window
            if self.state.baseline != self._limits.baseline:
                stream.ratings.baseline = self._limits.baseline
        self.state.baseline = self._limits.baseline

    def _rate(self, rated: Rated) -> None:
        self._ratings += 1
        move = self._stream(rated.stream).take_rating(rated.rating, self._limits)
        if _version_of(rated.stream) is not None:
            self.state.rated = rated.stream
        if move is not None:
            self._raise(rated.stream, move)

    def _answer(self, answers: Sequence[Answered]) -> None:
        self._answers += len(answers)
        for answer in answers:
            if not answer.stream.endswith(FALLBACK):
                self.state.latest = answer.stream
            for move in self._stream(answer.stream).take_answer(answer, self._limits):
                self._raise(answer.stream, move)
        if not self._limits.has_signals or not answers:
            return
        texts = [answer.question for answer in answers]
        try:
            vectors = encode_questions(texts, self._spec.embedding, self._home)
        except MissingExtraError as missing:
            note = f"questions are not compared: {missing}"
            if note not in self._problems:
                self._problems.append(note)
            return
        for move in question_moves(self.state.questions, vectors, self._limits):
            self._raise(answers[-1].stream, move)

    def _stream(self, name: str) -> Stream:
        found = self.state.streams.get(name)
        if found is None:
            before = self.state.rated or ""
            model = _version_of(name)
            is_next = model is not None and model == _version_of(before)
            earlier = self.state.streams.get(before) if is_next else None
            found = self.state.streams[name] = Stream.begin(self._limits, earlier)
        return found

    def _raise(self, model: str, move: Move) -> None:
        acts = move.signal in self._spec.act_on and not model.endswith(FALLBACK)
        self.state.raised += 1
        self.state.pending.append(
            Alarm(
                number=self.state.raised,
                wiki_name=self._wiki_name,
                model=model,
                signal=move.signal,
                at=round(time.time(), 3),
                before=round(move.before, 6),
                after=round(move.after, 6),
                before_count=move.before_count,
                after_count=move.after_count,
                message=f"{self._wiki_name}, {model}: {move.text}",
                action=self._spec.on_alarm if acts else "report",
            )
        )
