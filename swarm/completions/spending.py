"""What calls took: an estimate where nobody counts, and what was spent with each key."""

from dataclasses import dataclass, field, replace

import anyio

from swarm.completion import CompletionRequest, CompletionResult
from swarm.messages import Usage
from swarm.runtime.tokens import estimate_message
from swarm.specs import BudgetSpec

__all__ = ["Account", "Spending", "with_usage"]


def with_usage(request: CompletionRequest, result: CompletionResult) -> CompletionResult:
    """Return an answer with an estimate of its tokens, unless the provider counted them."""
    if result.usage.tokens:
        return result
    usage = Usage(
        input_tokens=sum(map(estimate_message, request.messages)),
        output_tokens=estimate_message(result.message),
    )
    return replace(result, usage=usage)


@dataclass(slots=True)
class Account:
    """One key."""

    spent: Usage = field(default_factory=Usage)
    running: int = 0
    """Calls that have begun and not ended."""
    most: Usage = field(default_factory=Usage)
    """The most tokens and the highest cost that one call took."""

    def over(self, budget: BudgetSpec) -> str | None:
        """Return which limit is reached, with what was spent of it, or None."""
        tokens, cost = budget.session_tokens, budget.session_cost
        if tokens is not None and self.spent.tokens >= tokens:
            return f"{self.spent.tokens} of {tokens} tokens"
        if cost is not None and self.spent.cost >= cost:
            return f"${self.spent.cost:.6g} of ${cost:.6g}"
        return None

    def must_wait(self, budget: BudgetSpec) -> bool:
        """Whether a call has to wait for those that run, which may use the budget up.

        Calls that begin together must not pass a limit by more than one of them: each that runs
        is counted as the largest so far, and before there is one, they go one at a time.
        """
        if not self.running:
            return False
        if not self.most.tokens:
            return True
        tokens, cost = budget.session_tokens, budget.session_cost
        return (
            tokens is not None and self.spent.tokens + self.running * self.most.tokens >= tokens
        ) or (cost is not None and self.spent.cost + self.running * self.most.cost >= cost)

    def add(self, usage: Usage) -> None:
        """Count a call's usage."""
        self.spent += usage
        self.most = Usage(
            input_tokens=max(self.most.tokens, usage.tokens), cost=max(self.most.cost, usage.cost)
        )


class Spending:
    """The accounts of one host, by the name of the key's variable."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._changed: anyio.Event | None = None

    def account(self, name: str) -> Account:
        """Return the account of a key, opened at its first use."""
        return self._accounts.setdefault(name, Account())

    async def wait(self) -> None:
        """Return when some call has ended."""
        if self._changed is None:
            self._changed = anyio.Event()
        await self._changed.wait()

    def end(self, account: Account) -> None:
        """Note that a call has ended, and wake those that wait for it."""
        account.running -= 1
        if self._changed is not None:
            self._changed.set()
            self._changed = None
