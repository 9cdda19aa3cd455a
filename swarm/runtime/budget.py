"""What a turn may still spend: the limits of the swarm and of every agent that it has had.

A limit is checked before each model call, so the call that reaches it still answers, and the next
is not made. The limits of an agent hold from its first entry to the end of the turn, also after
it handed over; each of them counts for itself, so the strictest ends the turn.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from swarm.errors import BudgetExceededError
from swarm.events import Event, MessageAdded, TurnEnded
from swarm.messages import Usage
from swarm.specs import AgentSpec, BudgetSpec, SwarmSpec

if TYPE_CHECKING:
    from swarm.runtime.session import Session

__all__ = ["Budget", "SessionUsage", "open_budget", "read_usage"]

_EARLY = 0.01
"""Seconds."""


class SessionUsage(NamedTuple):
    """What a conversation took, read from its events."""

    total: Usage
    """Of all turns that have ended."""
    unfinished: Usage
    """Of the turn that has no end, where there is one."""


@dataclass(slots=True)
class _Limits:
    """The budget of one owner, with what was spent before it held."""

    owner: str
    spec: BudgetSpec
    before: Usage
    since: float


class Budget:
    """The tracker of one turn.

    ```python
    budget = Budget(swarm, total, client_id="client-1")
    budget.enter(agent)  # at the start, and after each hand-off
    budget.check()  # before each model call, whose request has `wants_usage=budget.has_limits`
    budget.add(result.usage)  # after it
    ```
    """

    def __init__(
        self,
        swarm: SwarmSpec,
        total: Usage | None = None,
        *,
        client_id: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin a turn.

        Args:
            swarm: Its limits hold from now on.
            total: What the conversation took before this turn; nothing when absent.
            client_id: For errors.
            clock: Returns seconds; only their differences count.
        """
        self._client_id = client_id
        self._clock = clock
        self._agent_name = swarm.default_agent
        self._earlier = total or Usage()
        self._spent = Usage()
        self._limits: dict[str, _Limits] = {}
        self._hold(f"swarm {swarm.swarm_name!r}", swarm.budget)

    @property
    def spent(self) -> Usage:
        """What this turn took so far."""
        return self._spent

    @property
    def total(self) -> Usage:
        """What the conversation took so far, with this turn."""
        return self._earlier + self._spent

    @property
    def has_limits(self) -> bool:
        """Whether there is any limit by now; then calls ask for their usage to be estimated."""
        return bool(self._limits)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the first limit of time is over, not below 0; None without any."""
        now = self._clock()
        left = [
            limits.since + limits.spec.turn_seconds - now
            for limits in self._limits.values()
            if limits.spec.turn_seconds is not None
        ]
        return max(0.0, min(left)) if left else None

    def enter(self, agent: AgentSpec) -> None:
        """Let the limits of an agent hold as well, from its first entry on."""
        self._agent_name = agent.agent_name
        self._hold(f"agent {agent.agent_name!r}", agent.budget)

    def check(self) -> None:
        """Let a model call pass.

        Raises:
            BudgetExceededError: A limit is reached.
        """
        for limits in self._limits.values():
            self._check(limits)

    def check_time(self) -> None:
        """Say whose limit of time it was, after the deadline of `seconds_left` has passed.

        Raises:
            BudgetExceededError: A limit of time is over.
        """
        now = self._clock()
        for limits in self._limits.values():
            allowed = limits.spec.turn_seconds
            # Event loops wake up a little early.
            if allowed is not None and now - limits.since >= allowed - _EARLY:
                raise self._exceeded("turn_seconds", limits, now - limits.since, allowed)

    def add(self, usage: Usage) -> None:
        """Count what a model call took, or something else in the turn, such as a wiki."""
        self._spent += usage

    def _hold(self, owner: str, spec: BudgetSpec | None) -> None:
        if spec is not None and owner not in self._limits:
            self._limits[owner] = _Limits(owner, spec, self._spent, self._clock())

    def _check(self, limits: _Limits) -> None:
        spec, spent, before = limits.spec, self._spent, limits.before
        if spec.turn_tokens is not None:
            self._compare("turn_tokens", limits, spent.tokens - before.tokens, spec.turn_tokens)
        if spec.turn_cost is not None:
            self._require_prices("turn_cost", limits, spec.turn_cost)
            self._compare("turn_cost", limits, spent.cost - before.cost, spec.turn_cost)
        if spec.turn_seconds is not None:
            self._compare("turn_seconds", limits, self._clock() - limits.since, spec.turn_seconds)
        if spec.session_tokens is not None:
            tokens = self._earlier.tokens + spent.tokens
            self._compare("session_tokens", limits, tokens, spec.session_tokens)
        if spec.session_cost is not None:
            self._require_prices("session_cost", limits, spec.session_cost)
            cost = self._earlier.cost + spent.cost
            self._compare("session_cost", limits, cost, spec.session_cost)

    def _compare(self, limit: str, limits: _Limits, spent: float, allowed: float) -> None:
        if spent >= allowed:
            raise self._exceeded(limit, limits, spent, allowed)

    def _require_prices(self, limit: str, limits: _Limits, allowed: float) -> None:
        """Refuse to go on when a call of this turn had no price: its limit would never hold."""
        unpriced = self._spent.unpriced_tokens - limits.before.unpriced_tokens
        if unpriced > 0:
            reason = f"nobody knows what {unpriced} tokens of this turn cost"
            raise self._exceeded(limit, limits, self._spent.cost, allowed, reason)

    def _exceeded(
        self,
        limit: str,
        limits: _Limits,
        spent: float,
        allowed: float,
        reason: str | None = None,
    ) -> BudgetExceededError:
        return BudgetExceededError(
            limit,
            owner=limits.owner,
            spent=spent,
            allowed=allowed,
            reason=reason,
            client_id=self._client_id,
            agent_name=self._agent_name,
        )


def open_budget(session: "Session", spent: Usage | None = None) -> Budget | None:
    """Return the limits of the swarm and the active agent; None where there are none.

    Args:
        session: The conversation; what it took before counts.
        spent: What the running turn took already.
    """
    swarm, agent = session.plan.spec, session.agent.spec
    if swarm.budget is None and agent.budget is None:
        return None
    budget = Budget(swarm, session.total, client_id=session.client_id)
    if spent is not None:
        budget.add(spent)
    budget.enter(agent)
    return budget


def read_usage(events: Sequence[Event]) -> SessionUsage:
    """Return what a conversation took, from its newest events, oldest first.

    It reads back to the newest end of a turn that carries the total. Ends that were written before
    totals were are added up as far as the events reach, so that the total is then a lower bound.
    """
    total, unfinished = Usage(), Usage()
    has_ended = False
    for event in reversed(events):
        if isinstance(event, TurnEnded):
            if event.total is not None:
                return SessionUsage(total + event.total, unfinished)
            total += event.usage
            has_ended = True
        elif isinstance(event, MessageAdded) and event.usage is not None and not has_ended:
            unfinished += event.usage
    return SessionUsage(total, unfinished)
