"""The declaration of a policy."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from swarm.policy.matching import check_denied
from swarm.policy.redaction import Redaction
from swarm.registry import Kind
from swarm.specs import Callback, Name, Spec

__all__ = ["POLICIES", "PolicyCallbacks", "PolicySpec"]

_Denied = Annotated[str, AfterValidator(check_denied)]


class PolicyCallbacks(Spec):
    """Functions that hear of a policy; one that raises is written to the log."""

    on_init: Callback | None = None
    """`(policy_name)`, when a host first makes a swarm ready that lists the policy."""
    on_validate_input: Callback | None = None
    """`(text, client_id, swarm_name, policy_name)`, before what a client says is checked."""
    on_validate_output: Callback | None = None
    """`(text, client_id, swarm_name, policy_name)`, before an answer is checked."""
    on_ban_client: Callback | None = None
    """`(client_id, swarm_name, policy_name)`, after a client was banned."""
    on_unban_client: Callback | None = None
    """`(client_id, swarm_name, policy_name)`, after a client is no longer banned."""


class PolicySpec(Spec):
    """What may be said in a swarm, and who may not talk to it."""

    policy_name: Name
    """What swarms call it."""
    ban_message: Annotated[str, Field(min_length=1)] = "I am not going to discuss it!"
    """The answer in place of what is refused."""
    get_ban_message: Callback | None = None
    """A function `(client_id, policy_name, swarm_name)` that returns that answer instead."""
    auto_ban: bool = False
    """Ban the client when something is refused, be it a message or an answer."""
    max_length: Annotated[int, Field(gt=0)] | None = None
    """Characters of a client's message; a longer one is refused."""
    deny: Annotated[Sequence[_Denied], AfterValidator(tuple)] = ()
    """Words and phrases, found whole and in upper or lower case, and regular expressions between
    slashes, such as `/pass(word|port)/`; a message or an answer with one of them is refused."""
    validate_input: Callback | None = None
    """A function `(text, client_id, swarm_name)` on what the client says: None or true lets it
    pass, false refuses it, and a text refuses it with that text as the answer."""
    validate_output: Callback | None = None
    """The same on an answer of the swarm."""
    redact: Annotated[Sequence[Redaction], AfterValidator(tuple)] = ()
    """What is replaced in messages and answers, as by `[email]`: any of `card`, `email`, `iban` and
    `secret` (API keys, tokens, private keys, the values of keys in the environment)."""
    rewrite_input: Callback | None = None
    """A function `(text, client_id, swarm_name)` that returns what goes on in place of the
    message, or None for the message as it is; it comes after the checks."""
    rewrite_output: Callback | None = None
    """The same on an answer of the swarm."""
    persist: bool = True
    """Bans are kept in the host's database; otherwise as long as the host is open."""
    get_banned_clients: Callback | None = None
    """A function `(policy_name, swarm_name)` that returns the banned client ids, for a list of
    your own; it is asked at each message."""
    set_banned_clients: Callback | None = None
    """A function `(client_ids, policy_name, swarm_name)` that keeps a changed list."""
    callbacks: PolicyCallbacks | None = None
    """Functions that are told of checks and bans."""
    doc_description: str | None = None
    """What it is for, in the generated documentation."""

    @model_validator(mode="after")
    def _has_a_whole_list(self) -> "PolicySpec":
        if self.get_banned_clients is None and self.set_banned_clients is not None:
            raise ValueError("`set_banned_clients` needs `get_banned_clients`")
        is_fixed = self.get_banned_clients is not None and self.set_banned_clients is None
        if is_fixed and self.auto_ban:
            raise ValueError("`auto_ban` needs `set_banned_clients`, to change your own list")
        return self


POLICIES = Kind("policy", PolicySpec, "policy_name", "policies")
