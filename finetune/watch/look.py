"""What is new of a wiki: taken in from the journal or a log, and turned into alarms."""

import time
from collections.abc import Sequence
from pathlib import Path

from anyio import to_thread
from pydantic import BaseModel, ConfigDict

from finetune.watch.alarm import Alarm
from finetune.watch.journal import read_answers, read_ratings
from finetune.watch.log import read_log
from finetune.watch.observed import FALLBACK, LOG, Answered, Rated
from finetune.watch.questions import encode_questions
from finetune.watch.state import LogPlace, WatchState
from finetune.watch.stream import Move, Stream, StreamLimits, question_moves
from swarm.errors import MissingExtraError
from swarm.store import Database
from wiki import WatchSpec, WikiSpec

__all__ = ["Look", "StreamSummary", "Watched"]

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
    """What could not be read or watched, and why a loop failed."""


class Look:
    """Takes in what is new, and puts alarms into the state; it acts on none.

    Args:
        wiki: The wiki.
        state: What the watch remembers; it is changed.
        home: Where vectors of a model are remembered.
        live: The version of the registry that is in service; None where nothing tells it.
        project: Only conversations of this project count; `""` stands for no project.
    """

    def __init__(
        self,
        wiki: WikiSpec,
        state: WatchState,
        home: Path,
        *,
        live: str | None = None,
        project: str | None = None,
    ) -> None:
        self.state = state
        self._project = project
        self._live = live
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
        """Take in the ratings and answers that came into the journal."""
        unheard = 0
        while True:
            ratings, number = await read_ratings(
                database, self._wiki_name, self.state.feedback, project=self._project
            )
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
            answers, place = await read_answers(
                database, self._wiki_name, self.state.answers, project=self._project
            )
            if place is None:
                break
            self.state.answers = place
            await to_thread.run_sync(self._answer, answers)

    def read_predictions(self, path: Path) -> None:
        """Take in what came into a log of predictions."""
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

    def result(self, alarms: Sequence[Alarm], problems: Sequence[str] = ()) -> Watched:
        """Return what was found, with the alarms that were acted on and further problems."""
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
            problems=(*self._problems, *problems),
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
            if not answer.stream.endswith(FALLBACK) and not answer.stream.startswith(LOG):
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
        action = self._spec.on_alarm if acts else "report"
        judged = model
        if model.startswith(LOG):
            judged = self._live or self.state.latest or model
        # Known before anything is done, so that a process that is killed does not undo it later.
        if action != "report" and judged not in self.state.alarmed:
            self.state.alarmed.append(judged)
        self.state.raised += 1
        self.state.pending.append(
            Alarm(
                number=self.state.raised,
                wiki_name=self._wiki_name,
                model=model,
                judged=judged,
                signal=move.signal,
                at=round(time.time(), 3),
                before=round(move.before, 6),
                after=round(move.after, 6),
                before_count=move.before_count,
                after_count=move.after_count,
                message=f"{self._wiki_name}, {model}: {move.text}",
                action=action,
            )
        )


def _version_of(stream: str) -> str | None:
    """Return the model of the registry whose version a stream is; None for all others."""
    model, at, _ = stream.rpartition("@")
    is_own = model.startswith("registry/") and not stream.endswith(FALLBACK)
    return model if at and is_own else None
