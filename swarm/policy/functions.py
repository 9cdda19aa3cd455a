"""Calls the functions that policies name: those whose result counts, and those that only hear."""

import functools
import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from swarm.errors import CallbackError, SessionError
from swarm.policy.spec import PolicySpec
from swarm.runtime import find_live
from swarm.secrets import hide
from swarm.specs import SwarmSpec

__all__ = ["Case", "Functions"]

_log = logging.getLogger("wikiswarm")


class Case(NamedTuple):
    """Which policy is asked, and about whom."""

    policy: PolicySpec
    swarm: SwarmSpec
    client_id: str

    @property
    def names(self) -> tuple[str, str, str]:
        """Client, swarm and policy, as functions that hear of bans take them."""
        return self.client_id, self.swarm.swarm_name, self.policy.policy_name


class Functions:
    """Calls functions of policies, and keeps keys out of what it says of those that fail."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = secrets

    async def ask(self, field: str, case: Case, *arguments: object) -> Any:
        """Return what the function in a field of a policy returns.

        Raises:
            CallbackError: It raised; names it.
        """
        function: Callable[..., Any] = getattr(case.policy, field)
        try:
            result = function(*arguments)
            return await result if inspect.isawaitable(result) else result
        except Exception as error:
            raise self.failure(field, case, self._reason(error)) from error

    def failure(self, field: str, case: Case, reason: str) -> CallbackError:
        """Return the error of a function that raised, or returned what it may not."""
        name = _name_of(getattr(case.policy, field))
        return CallbackError(
            f"{field} of policy {case.policy.policy_name!r}, function {name!r},",
            reason,
            client_id=case.client_id,
            agent_name=_agent_name(case),
        )

    async def tell(self, event: str, policy: PolicySpec, *arguments: object) -> None:
        """Call the function that hears of an event, if there is one; it can change nothing."""
        function = getattr(policy.callbacks, event, None)
        if function is None:
            return
        try:
            result = function(*arguments)
            if inspect.isawaitable(result):
                await result
        except Exception as error:
            place = f"{event} of policy {policy.policy_name!r}"
            _log.error(
                "%s, function %r, failed: %s", place, _name_of(function), self._reason(error)
            )

    def _reason(self, error: Exception) -> str:
        return hide(f"{type(error).__name__}: {error}", self._secrets)


def _name_of(function: Any) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__name__", type(function).__name__)


def _agent_name(case: Case) -> str:
    """Return the client's active agent; without a session, the one that would answer."""
    try:
        session = find_live(case.client_id)
    except SessionError:
        return case.swarm.default_agent
    is_here = session.plan.spec.swarm_name == case.swarm.swarm_name
    return session.agent_name if is_here else case.swarm.default_agent
