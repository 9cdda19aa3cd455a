"""What a watch remembers of a wiki, and its alarms: two files in a folder of the home.

`state.json` is replaced as a whole, so a killed run has either done its work or not begun it.
`alarms.jsonl` has a line for each alarm, once it is known what became of it.
"""

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from finetune.watch.alarm import Alarm
from finetune.watch.journal import Place
from finetune.watch.questions import QuestionState
from finetune.watch.stream import Stream
from swarm.errors import DataError, StoreError
from swarm.files import write_atomically

__all__ = ["LogPlace", "WatchState", "append_alarm", "read_alarms", "read_state", "write_state"]


class LogPlace(BaseModel):
    """How far a log was read."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    offset: int = 0
    line: int = 0


class WatchState(BaseModel):
    """Where a watch goes on."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    format: Literal[1] = 1
    feedback: int = 0
    """The number of the last rating that was read from the journal."""
    answers: Place = Place()
    logs: dict[str, LogPlace] = {}
    streams: dict[str, Stream] = {}
    """By model."""
    questions: QuestionState = Field(default_factory=QuestionState)
    """Of all models: what people ask does not depend on who answers."""
    latest: str | None = None
    """The model that answered last in the journal, fallbacks left out."""
    rated: str | None = None
    """The version of the registry that was rated last: the next new one took its place."""
    baseline: float | None = None
    """The declared one that the streams were begun with."""
    alarmed: list[str] = []
    """Models that had an alarm that something is done about: nothing is rolled back to them."""
    looped: list[str] = []
    """Models for which the next training was started already."""
    raised: int = 0
    """How many alarms there were."""
    pending: list[Alarm] = []
    """Alarms that were raised and not acted on yet."""
    day: str = ""
    voices: dict[str, int] = {}
    """How many ratings each client gave on that day; clients are told apart by a hash."""

    def is_heard(self, client_id: str, at: float, most: int) -> bool:
        """Count a rating of a client; false where it gave too many on one day."""
        if not client_id:
            return True
        day = time.strftime("%Y-%m-%d", time.gmtime(at))
        if day != self.day:
            self.day, self.voices = day, {}
        voice = hashlib.blake2b(client_id.encode(errors="replace"), digest_size=8).hexdigest()
        self.voices[voice] = self.voices.get(voice, 0) + 1
        return self.voices[voice] <= most


def read_state(folder: Path) -> WatchState:
    """Return what was remembered; an empty state where there is none.

    Raises:
        DataError: The file is damaged.
        StoreError: It cannot be read.
    """
    path = folder / "state.json"
    try:
        return WatchState.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return WatchState()
    except ValidationError as wrong:
        reason = wrong.errors()[0]["msg"]
        hint = "remove it to watch from the beginning"
        raise DataError(f"{path} is damaged ({reason}); {hint}") from None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from error


def write_state(folder: Path, state: WatchState) -> None:
    """Replace what is remembered.

    Raises:
        StoreError: It cannot be written.
    """
    path = folder / "state.json"
    try:
        write_atomically(path, state.model_dump_json(), mode=0o600)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error


def append_alarm(folder: Path, alarm: Alarm) -> None:
    """Add an alarm to those of the wiki; one that stands there already is not added again.

    Raises:
        StoreError: The file cannot be written.
    """
    path = folder / "alarms.jsonl"
    if any(known.number == alarm.number for known in read_alarms(folder)):
        return
    line = json.dumps(alarm.model_dump(mode="json"), ensure_ascii=False).encode() + b"\n"
    try:
        # What a killed process left of a line must not swallow this one.
        is_torn = path.exists() and not (path.read_bytes() or b"\n").endswith(b"\n")
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, b"\n" + line if is_torn else line)
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error


def read_alarms(folder: Path) -> list[Alarm]:
    """Return the alarms of a wiki that were acted on, oldest first; torn lines are left out.

    Raises:
        StoreError: The file cannot be read.
    """
    try:
        lines = (folder / "alarms.jsonl").read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"cannot read the alarms: {error.strerror or error}") from error
    found: list[Alarm] = []
    for line in lines:
        try:
            found.append(Alarm.model_validate_json(line))
        except ValidationError:
            continue
    return found
