"""One look at a wiki: reads what is new, raises alarms, and does what they ask for."""

from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from finetune.watch.actions import act, live_version
from finetune.watch.alarm import Alarm
from finetune.watch.look import Look, Watched
from finetune.watch.state import (
    append_alarm,
    read_alarms,
    read_state,
    write_state,
)
from swarm import Catalog
from swarm.bus import BusEvent
from swarm.errors import StoreError, SwarmError
from swarm.locks import folder_lock
from swarm.runtime.ids import check_project
from swarm.store import Database
from wiki import WIKIS, ModelRegistry, WikiSpec

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ["ALARM_TOPIC", "watch_folder", "watch_wiki"]

ALARM_TOPIC = "drift-alarm"
"""The topic on which alarms are told to those that listen; the payload is the alarm's fields."""


def watch_folder(home: Path, wiki_name: str, *, project: str | None = None) -> Path:
    """Return where the state, the alarms and the report of a wiki lie.

    Args:
        home: The folder of the state.
        wiki_name: The wiki.
        project: The project whose conversations count; each one has a folder of its own.

    Raises:
        InvalidIdError: No project can be called that.
    """
    folder = home / "watch" / wiki_name
    return folder if project is None else folder / f"project-{check_project(project or None) or ''}"


async def watch_wiki(
    wiki_name: str,
    catalog: Catalog,
    database: Database,
    home: Path,
    *,
    log: Path | None = None,
    project: str | None = None,
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
        project: Only conversations of this project; `""` stands for no project. Each project's
            look has a state of its own, while the model registry is that of all.
        start: Starts the training of a wiki's next version, for `on_alarm: loop`. It is called
            when all else is written, once for each version. What it fails for is one of the
            problems, and the next alarm of the version starts it again.

    Raises:
        UnknownNameError: No such wiki is declared.
        InvalidIdError: No project can be called that.
        DataError: The log or the state cannot be read.
        StoreError: The journal or the home failed.
        ProviderError: The model that compares questions failed; the next look tries again.
    """
    wiki = catalog.registry(WIKIS).get(wiki_name)
    folder = watch_folder(home, wiki_name, project=project)
    async with _locked(folder):
        state = read_state(folder)
        # The numbers go on also where somebody removed the state to begin anew.
        told = await to_thread.run_sync(read_alarms, folder)
        state.raised = max([state.raised, *(alarm.number for alarm in told)])
        model = _model_of(wiki, catalog)
        registry = ModelRegistry(home / "models")
        live = await to_thread.run_sync(_live_of, model, registry)
        look = Look(wiki, state, home, live=live, project=project)
        await look.read_journal(database)
        if log is not None:
            await to_thread.run_sync(look.read_predictions, log)
        await to_thread.run_sync(write_state, folder, look.state)
        alarms: list[Alarm] = []
        trained_for: list[str] = []
        while look.state.pending:
            alarm = look.state.pending[0]
            done = act(alarm, model, registry, look.state, has_loop=start is not None)
            alarm = alarm.model_copy(update={"outcome": done.outcome})
            append_alarm(folder, alarm)
            look.state.pending.pop(0)
            write_state(folder, look.state)
            if done.starts_loop:
                trained_for.append(alarm.judged or alarm.model)
            alarms.append(alarm)
    for alarm in alarms:
        payload = {"payload": alarm.model_dump(mode="json")}
        catalog.bus.publish(BusEvent(ALARM_TOPIC, "custom", "", payload))
    problems: list[str] = []
    if trained_for and start is not None:
        problems = await _train(start, wiki_name, folder, trained_for)
    return look.result(alarms, problems)


async def _train(
    start: Callable[[str], None], wiki_name: str, folder: Path, trained_for: list[str]
) -> list[str]:
    """Start the training; returns what it failed for."""
    try:
        await to_thread.run_sync(start, wiki_name)
    except SwarmError as error:
        problems = [f"{wiki_name}: the loop failed: {error}"]
    else:
        return []
    try:
        async with _locked(folder):
            state = read_state(folder)
            state.looped = [model for model in state.looped if model not in trained_for]
            write_state(folder, state)
    except SwarmError as error:
        models = ", ".join(trained_for)
        problems.append(f"{wiki_name}: no alarm of {models} starts the loop again: {error}")
    return problems


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


def _live_of(model: str | None, registry: ModelRegistry) -> str | None:
    try:
        live = live_version(model, registry)
    except SwarmError:
        return None  # told where an alarm wants to act on it
    return None if live is None else f"registry/{live}"
