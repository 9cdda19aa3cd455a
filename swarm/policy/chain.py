"""The policies of a swarm, merged in their order: what a turn asks about each text."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from swarm.policy.bans import Bans
from swarm.policy.functions import Case, Functions
from swarm.policy.matching import Denied
from swarm.policy.redaction import Redactor
from swarm.policy.spec import PolicySpec
from swarm.runtime.guard import Verdict
from swarm.specs import SwarmSpec

__all__ = ["PolicyChain"]

_Direction = Literal["input", "output"]

_LONGEST_TEXT = 200_000
"""Characters that `deny` and `redact` look at; what is longer is refused instead."""


class _Link(NamedTuple):
    policy: PolicySpec
    denied: Denied
    redact: Redactor


class PolicyChain:
    """Implements `swarm.runtime.guard.Guard`.

    Each policy first judges a text and then may change it; the next policy gets what it made of
    it. The first one that refuses ends the matter, and its ban message is the answer.
    """

    def __init__(
        self,
        swarm: SwarmSpec,
        policies: Sequence[PolicySpec],
        bans: Bans,
        functions: Functions,
        secrets: Mapping[str, str],
    ) -> None:
        self._swarm = swarm
        self._links = [
            _Link(policy, Denied(policy.deny), Redactor(policy.redact, secrets))
            for policy in policies
        ]
        self._bans = bans
        self._functions = functions

    async def check_input(self, text: str, client_id: str) -> Verdict:
        """Judge what a client says; who is banned is refused before anything else is asked.

        Raises:
            CallbackError: A function of a policy raised; names it.
            StoreError: The bans cannot be read or written.
        """
        cases = [Case(link.policy, self._swarm, client_id) for link in self._links]
        banned = await self._bans.find(cases)
        if banned is not None:
            return await self._refuse(banned)
        return await self._check("input", text, client_id)

    async def check_output(self, text: str, client_id: str) -> Verdict:
        """Judge an answer of the swarm; raises what `check_input` raises."""
        return await self._check("output", text, client_id)

    async def _check(self, direction: _Direction, text: str, client_id: str) -> Verdict:
        for link in self._links:
            case = Case(link.policy, self._swarm, client_id)
            event = f"on_validate_{direction}"
            await self._functions.tell(event, link.policy, text, *case.names)
            said = await self._judge(link, case, direction, text)
            if said is not None:
                if link.policy.auto_ban:
                    await self._bans.ban(case)
                return Verdict(said, link.policy.policy_name) if said else await self._refuse(case)
            text = await self._rewrite(link, case, direction, text)
        return Verdict(text)

    async def _judge(self, link: _Link, case: Case, direction: _Direction, text: str) -> str | None:
        """Return what refuses a text, "" for the ban message; None when the text may pass."""
        policy = link.policy
        limit = policy.max_length if direction == "input" else None
        is_read = bool(policy.deny or policy.redact)
        if (limit is not None and len(text) > limit) or (is_read and len(text) > _LONGEST_TEXT):
            return ""
        if policy.deny and link.denied.finds(text):
            return ""
        field = f"validate_{direction}"
        if getattr(policy, field) is None:
            return None
        said = await self._functions.ask(field, case, text, case.client_id, self._swarm.swarm_name)
        if said is None or said is True:
            return None
        if said is False:
            return ""
        if isinstance(said, str) and said:
            return said
        reason = (
            f"it returned {_shown(said)}; return None or True to let the text pass, False to"
            " refuse it, or the text to refuse it with"
        )
        raise self._functions.failure(field, case, reason)

    async def _rewrite(self, link: _Link, case: Case, direction: _Direction, text: str) -> str:
        if link.policy.redact:
            text = link.redact(text)
        field = f"rewrite_{direction}"
        if getattr(link.policy, field) is None:
            return text
        new = await self._functions.ask(field, case, text, case.client_id, self._swarm.swarm_name)
        if new is None:
            return text
        if not isinstance(new, str):
            reason = f"it returned {_shown(new)}; return the new text, or None to leave it"
            raise self._functions.failure(field, case, reason)
        return new

    async def _refuse(self, case: Case) -> Verdict:
        """Return a policy's ban message as the answer."""
        policy, field = case.policy, "get_ban_message"
        if policy.get_ban_message is None:
            return Verdict(policy.ban_message, policy.policy_name)
        names = (case.client_id, policy.policy_name, self._swarm.swarm_name)
        message = await self._functions.ask(field, case, *names)
        if not isinstance(message, str) or not message:
            reason = f"it returned {_shown(message)}; return the answer as text"
            raise self._functions.failure(field, case, reason)
        return Verdict(message, policy.policy_name)


def _shown(value: object) -> str:
    return "an empty text" if value == "" else type(value).__name__
