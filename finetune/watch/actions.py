"""What an alarm does: nothing but telling, a rollback, or the start of a training. Each only once.

Only the version that is in service is acted on, so neither a late rating of an older version nor a
second look does anything, and a rollback never leads to a version that had an alarm itself.
"""

from typing import NamedTuple

from finetune.watch.alarm import Alarm
from finetune.watch.state import WatchState
from swarm.errors import DeclarationError, SwarmError
from wiki import ModelRegistry, ModelVersion
from wiki.registry import NotPromotedError, Promotion, parse_version_reference
from wiki.registry.reference import LIVE, PREVIOUS

__all__ = ["Done", "act", "live_version"]

_BY = "watch"
"""Who asks for a rollback, in the history of the registry."""


class Done(NamedTuple):
    """What became of an alarm."""

    outcome: str
    starts_loop: bool = False
    """The caller starts the training; it may take hours, and nothing is locked then."""


def act(
    alarm: Alarm,
    model: str | None,
    registry: ModelRegistry,
    state: WatchState,
    *,
    has_loop: bool,
) -> Done:
    """Do what an alarm asks for, and note it in the state.

    Args:
        alarm: The alarm.
        model: The reference of the wiki's own model; None where it has none.
        registry: The model registry.
        state: What the watch remembers; the caller writes it.
        has_loop: Whether a training can be started.
    """
    if alarm.action == "report":
        return Done("told")
    judged = alarm.judged or alarm.model
    try:
        live = live_version(model, registry)
        serving = f"registry/{live}" if live is not None else state.latest or alarm.model
        if live is not None and _was_rolled_back(live, judged, alarm, registry):
            return Done(f"rolled back already: {live} is live")
        if judged != serving:
            return Done(f"nothing was changed: {serving} is in service, not {judged}")
        if alarm.action == "loop":
            return _start(judged, state, has_loop=has_loop)
        return Done(_roll_back(live, model, registry, state))
    except SwarmError as error:
        return Done(f"failed: {error}")


def live_version(model: str | None, registry: ModelRegistry) -> ModelVersion | None:
    """Return the version that answers a wiki now; None for a wiki that asks no live version.

    Args:
        model: The reference of the wiki's own model; None where it has none.
        registry: The model registry.

    Raises:
        UnknownNameError: There is no such model.
        NotPromotedError: No version of it is live.
        CorruptedVersionError: The version is damaged.
    """
    provider, _, rest = (model or "").partition("/")
    if provider != "registry":
        return None
    try:
        reference = parse_version_reference(rest)
    except DeclarationError:
        return None
    return registry.get(f"{reference.name}@{LIVE}") if reference.alias == LIVE else None


def _was_rolled_back(
    live: ModelVersion, judged: str, alarm: Alarm, registry: ModelRegistry
) -> bool:
    """Whether a watch that was killed, or an alarm before, did what a rollback asks for."""
    return alarm.action == "rollback" and any(
        f"registry/{live.name}@{one.previous}" == judged and one.at.timestamp() >= alarm.at
        for one in _own_rollbacks(live, registry)
    )


def _start(model: str, state: WatchState, *, has_loop: bool) -> Done:
    if not has_loop:
        return Done("not started: no loop is declared; train the next version by hand")
    if model in state.looped:
        return Done("not started again: the loop ran for this version already")
    state.looped.append(model)
    return Done("the loop was started", starts_loop=True)


def _own_rollbacks(live: ModelVersion, registry: ModelRegistry) -> list[Promotion]:
    """Return what watches went back from, also those of other wikis and projects."""
    history = registry.history(live.name)
    return [one for one in history if one.action == "rollback" and one.by == _BY]


def _roll_back(
    live: ModelVersion | None, model: str | None, registry: ModelRegistry, state: WatchState
) -> str:
    if live is None:
        asked = f"the wiki asks {model}" if model else "the wiki has no model reference"
        return f"nothing to roll back: {asked}, and not a live version of the registry"
    try:
        previous = registry.get(f"{live.name}@{PREVIOUS}")
    except NotPromotedError:
        return f"nothing to roll back to: no version of {live.name} was live before"
    taken_away = {one.previous for one in _own_rollbacks(live, registry)}
    if f"registry/{previous}" in state.alarmed or previous.version in taken_away:
        return f"not rolled back: {previous} had an alarm itself"
    try:
        done = registry.rollback(live.name, by=_BY, expected=live.version)
    except NotPromotedError as error:
        return f"not rolled back: {error}"
    return f"rolled back: {live.name}@{done.version} is live again"
