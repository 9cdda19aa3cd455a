"""Calls the functions that policies name: those whose result counts, and those that only hear."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from swarm.errors import CallbackError, SessionError
from swarm.functions import checked_call, describe, observe
from swarm.policy.spec import PolicySpec
from swarm.runtime import find_live
from swarm.specs import SwarmSpec

__all__ = ["Case", "Functions"]


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
        return await checked_call(
            function,
            *arguments,
            role=field,
            place=_place(case.policy),
            failure=lambda what, reason: _error(case, what, reason),
            secrets=self._secrets,
        )

    def failure(self, field: str, case: Case, reason: str) -> CallbackError:
        """Return the error of a function that returned what it may not."""
        what = describe(getattr(case.policy, field), field, _place(case.policy))
        return _error(case, what, reason)

    async def tell(self, event: str, policy: PolicySpec, *arguments: object) -> None:
        """Call the function that hears of an event, if there is one; it can change nothing."""
        function = getattr(policy.callbacks, event, None)
        await observe(function, *arguments, place=_place(policy), secrets=self._secrets)


def _place(policy: PolicySpec) -> str:
    return f"policy {policy.policy_name!r}"


def _error(case: Case, what: str, reason: str) -> CallbackError:
    return CallbackError(what, reason, client_id=case.client_id, agent_name=_agent_name(case))


def _agent_name(case: Case) -> str:
    """Return the client's active agent; without a session, the one that would answer."""
    try:
        session = find_live(case.client_id)
    except SessionError:
        return case.swarm.default_agent
    is_here = session.plan.spec.swarm_name == case.swarm.swarm_name
    return session.agent_name if is_here else case.swarm.default_agent
