"""What an alarm does: nothing but telling, a rollback, or the start of a training. Each only once.

Only the version that is in service is acted on, so neither a late rating of an older version nor a
second look does anything, and a rollback never leads to a version that had an alarm itself.
"""

from typing import NamedTuple

from finetune.watch.alarm import Alarm
from finetune.watch.observed import LOG
from finetune.watch.state import WatchState
from swarm.errors import DeclarationError, SwarmError
from wiki import ModelRegistry
from wiki.registry import NotPromotedError, parse_version_reference
from wiki.registry.reference import LIVE, PREVIOUS

__all__ = ["Done", "act"]


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
    try:
        name = _live_name(model)
        serving = _serving(alarm, name, registry, state)
        # A log does not tell which version answered; it is that of the wiki in service.
        judged = serving if alarm.model.startswith(LOG) else alarm.model
        if judged not in state.alarmed:
            state.alarmed.append(judged)
        if judged != serving:
            return Done(f"nothing was changed: {serving} is in service, not {judged}")
        if alarm.action == "loop":
            return _start(judged, state, has_loop=has_loop)
        return Done(_roll_back(name, model, registry, state))
    except SwarmError as error:
        return Done(f"failed: {error}")


def _live_name(model: str | None) -> str | None:
    """Return the name of the registry's model whose live version a wiki asks, or None."""
    provider, _, rest = (model or "").partition("/")
    if provider != "registry":
        return None
    try:
        reference = parse_version_reference(rest)
    except DeclarationError:
        return None
    return reference.name if reference.alias == LIVE else None


def _serving(alarm: Alarm, name: str | None, registry: ModelRegistry, state: WatchState) -> str:
    """Return the model that answers the wiki now."""
    if name is not None:
        return f"registry/{registry.get(f'{name}@{LIVE}')}"
    return state.latest or alarm.model


def _start(model: str, state: WatchState, *, has_loop: bool) -> Done:
    if not has_loop:
        return Done("not started: no loop is declared; train the next version by hand")
    if model in state.looped:
        return Done("not started again: the loop ran for this version already")
    state.looped.append(model)
    return Done("the loop was started", starts_loop=True)


def _roll_back(
    name: str | None, model: str | None, registry: ModelRegistry, state: WatchState
) -> str:
    if name is None:
        asked = f"the wiki asks {model}" if model else "the wiki has no model reference"
        return f"nothing to roll back: {asked}, and not a live version of the registry"
    live = registry.get(f"{name}@{LIVE}")
    try:
        previous = registry.get(f"{name}@{PREVIOUS}")
    except NotPromotedError:
        return f"nothing to roll back to: no version of {name} was live before"
    if f"registry/{previous}" in state.alarmed:
        return f"not rolled back: {previous} had an alarm itself"
    try:
        registry.rollback(name, by="watch", expected=live.version)
    except NotPromotedError as error:
        return f"not rolled back: {error}"
    return f"rolled back: {registry.get(f'{name}@{LIVE}')} is live again"
