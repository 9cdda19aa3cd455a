"""How a model cannot be asked at all; the other errors of providers are the core's own."""

from swarm.errors import ProviderDownError, ProviderError

__all__ = ["CircuitOpenError", "KeyBudgetError"]


class KeyBudgetError(ProviderError):
    """Every key has spent what its `key_budget` allows."""

    code = "key_budget"
    rpc_code = -32047
    hint = "raise `key_budget`, or add a key to `api_key_env`"


class CircuitOpenError(ProviderDownError):
    """The model failed several times in a row and is left alone; `retry_after` says for how long.

    Nothing was sent.
    """

    code = "circuit_open"
    rpc_code = -32048
