"""How a declaration becomes a completion, and what the completions of one host share."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from swarm.completion import Completion
from swarm.completions.breaker import Breaker
from swarm.completions.callback import CallbackCompletion
from swarm.completions.formats import FormatFallback
from swarm.completions.prices import FREE, Price, PriceTable
from swarm.completions.retry import Candidate, Observe, ResilientCompletion
from swarm.completions.rotation import Key, RotatingCompletion
from swarm.completions.spending import Spending
from swarm.errors import Problem, ValidationError
from swarm.extension import Services, model_provider
from swarm.functions import function_name, observe
from swarm.reference import parse_reference
from swarm.runtime.plan import SwarmPlan
from swarm.specs import BreakerSpec, CompletionSpec

__all__ = ["Models", "unpriced_budgets"]

_KEYLESS = frozenset({"gguf", "offline", "python", "registry"})
"""Providers that take no key, so that several names of keys change nothing."""
_HINT = "name its price in the file of WIKISWARM_PRICES, or limit tokens"

_Breakers = dict[tuple[object, ...], Breaker]


class Models:
    """Opens completions; those of one model share its breaker, those of one key what it spent."""

    def __init__(self, prices: Mapping[str, Any] | Path | str | None = None) -> None:
        """Begin with nothing open.

        Args:
            prices: The program's own; see `PriceTable`.
        """
        self._own_prices = prices
        self._prices: PriceTable | None = None
        self._breakers: _Breakers = {}
        self._spending = Spending()

    async def open(self, spec: CompletionSpec, services: Services) -> ResilientCompletion:
        """Return a new completion of a declaration.

        Raises:
            SetupError: A key or an extra is missing.
            DeclarationError: A reference names nothing that exists, or a budget in dollars is set
                for a model whose price nobody knows.
            DataError: The program's own prices cannot be read.
        """
        if self._prices is None:
            self._prices = PriceTable(self._own_prices)
        candidates: list[Candidate] = []
        if spec.get_completion is not None:
            name = function_name(spec.get_completion)
            completion = CallbackCompletion(spec.get_completion, f"python:{name}")
            breaker = self._breaker(spec, completion.model, spec.get_completion)
            price = self._prices.own.get(completion.model, FREE)
            candidates.append(Candidate(completion, breaker, price))
        models = ([spec.model] if spec.model else []) + list(spec.fallbacks)
        candidates += [
            await self._candidate(model, _for_model(spec, model), services, self._prices)
            for model in models
        ]
        return ResilientCompletion(
            candidates,
            max_retries=spec.max_retries,
            timeout=spec.timeout,
            flags=spec.flags,
            max_concurrent=spec.max_concurrent,
            observe=_observer(spec),
        )

    async def _candidate(
        self, text: str, spec: CompletionSpec, services: Services, prices: PriceTable
    ) -> Candidate:
        reference = parse_reference(text)
        provider = model_provider(reference.provider)
        price = prices.find(reference, spec.base_url)
        variables = tuple(dict.fromkeys(spec.key_variables))
        completion: Completion
        if reference.provider in _KEYLESS or (len(variables) < 2 and spec.key_budget is None):
            completion = FormatFallback(await provider(reference, spec, services))
        else:
            _require_price(spec, text, price)
            keys: list[Key] = []
            for variable in variables or (None,):
                one = spec.model_copy(update={"api_key_env": variable and (variable,)})
                opened = FormatFallback(await provider(reference, one, services))
                keys.append(Key(variable or f"the key of {reference.provider}", opened))
            completion = RotatingCompletion(
                keys, budget=spec.key_budget, spending=self._spending, price=price
            )
        return Candidate(completion, self._breaker(spec, text, spec.base_url), price)

    def _breaker(self, spec: CompletionSpec, model: str, place: object) -> Breaker | None:
        """Return the breaker of a model at an address; other settings make another one."""
        settings = spec.breaker or BreakerSpec(failures=max(5, spec.max_retries + 1))
        if settings.failures == 0:
            return None
        key = (model, place, settings.failures, settings.cooldown)
        if key not in self._breakers:
            self._breakers[key] = Breaker(
                model, failures=settings.failures, cooldown=settings.cooldown
            )
        return self._breakers[key]


def unpriced_budgets(plan: SwarmPlan) -> list[Problem]:
    """Return where a swarm has limits in dollars and a model whose price nobody knows.

    Such a limit would never be reached, which nobody finds out in time.
    """
    budgets = {f"swarms.{plan.spec.swarm_name}.budget": plan.spec.budget}
    budgets |= {f"agents.{name}.budget": agent.spec.budget for name, agent in plan.agents.items()}
    places = [
        place
        for place, budget in budgets.items()
        if budget is not None and (budget.turn_cost is not None or budget.session_cost is not None)
    ]
    if not places:
        return []
    found: list[Problem] = []
    for name, agent in plan.agents.items():
        if not isinstance(agent.completion, ResilientCompletion):
            continue
        for candidate in agent.completion.candidates:
            if candidate.price is None:
                message = f"a limit in dollars, and nobody knows what {candidate.completion.model}"
                message += f" of agent {name!r} costs"
                found += [Problem(message, place, hint=_HINT) for place in places]
    return found


def _for_model(spec: CompletionSpec, text: str) -> CompletionSpec:
    """Return the declaration as it holds for one of its models.

    Address and keys are those of the model's provider, and nobody else is shown them.
    """
    if spec.model is None:
        return spec
    if parse_reference(text).provider == parse_reference(spec.model).provider:
        return spec
    return spec.model_copy(update={"base_url": None, "api_key_env": None})


def _require_price(spec: CompletionSpec, text: str, price: Price | None) -> None:
    budget = spec.key_budget
    if budget is not None and budget.session_cost is not None and price is None:
        message = f"a limit in dollars, and nobody knows what {text} costs"
        where = f"completions.{spec.completion_name}.key_budget"
        raise ValidationError([Problem(message, where, hint=_HINT)])


def _observer(spec: CompletionSpec) -> Observe | None:
    """Return who is told of answers, made so that it never raises."""
    function = spec.callbacks.on_complete if spec.callbacks is not None else None
    if function is None:
        return None
    return partial(observe, function, place=f"completion {spec.completion_name!r}")
