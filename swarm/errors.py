"""Every error that leaves wikiswarm, by audience.

    SwarmError
      + DeclarationError          your program is wrong (raised by add_* and validate)
      |   - UnknownNameError      a name that nothing declares, with the nearest one
      |   - DuplicateNameError    a name that is declared twice
      |   - InvalidIdError        a client id or name that may not be used
      |   - ValidationError       all problems of a catalog or a document at once
      + SetupError                the machine lacks something
      |   - MissingExtraError     a library that `pip install 'wikiswarm[extra]'` brings
      |   - MissingKeyError       an environment variable that holds a key
      |   - StoreError            the journal cannot be opened, read or written
      + DataError                 a file that you passed is wrong
      + ProviderError             a model provider failed; translated at one place each
      |   - ProviderRefusedError  it understood and said no (401, 403, 404, 400 ...)
      |   - ProviderBusyError     429 and overload; may carry a waiting time
      |   - ProviderDownError     no connection, 5xx, an interrupted answer
      |   - ProviderTimeoutError  no answer in time
      |   - ProviderOutputError   an answer that is not what the API promises
      + TurnError                 one turn failed; carries client_id and agent_name
      |   - TurnTimeoutError      the turn's deadline passed
      |   - TurnInterruptedError  the process died in the middle of the turn
      |   - ToolOutputError       a tool output nobody asked for, or a second one
      |   - NavigationError       a hand-off that may not happen
      |   - CallbackError         a function of your program raised; names it
      |   - BudgetExceededError   a limit of tokens, cost or time is reached
      + SessionError              no such live session, closed, or opened twice
      + ControlFlow               raised by your tools, never seen outside a turn
          - ToolFailed            the tool failed; the model sees the reason
          - StopTools             skip the remaining tool calls of this round

A library error never passes a boundary untranslated, and no message holds a key.
"""

import importlib
from types import ModuleType
from typing import ClassVar, NamedTuple

__all__ = [
    "BudgetExceededError",
    "CallbackError",
    "ControlFlow",
    "DataError",
    "DeclarationError",
    "DuplicateNameError",
    "InvalidIdError",
    "MissingExtraError",
    "MissingKeyError",
    "NavigationError",
    "Problem",
    "ProviderBusyError",
    "ProviderDownError",
    "ProviderError",
    "ProviderOutputError",
    "ProviderRefusedError",
    "ProviderTimeoutError",
    "SessionError",
    "SetupError",
    "StopTools",
    "StoreError",
    "SwarmError",
    "ToolFailed",
    "ToolOutputError",
    "TurnError",
    "TurnInterruptedError",
    "TurnTimeoutError",
    "UnknownNameError",
    "ValidationError",
    "require",
    "suggest",
    "unknown_name",
]


_LISTED = 10
"""Names that an error lists, at most."""


class SwarmError(Exception):
    """Base of everything wikiswarm raises on purpose."""

    code: ClassVar[str] = "swarm_error"
    """Stable identifier of the class, the same in every language."""
    rpc_code: ClassVar[int] = -32000
    """The JSON-RPC error number of the class."""
    hint: str | None = None
    """What to do about it, in one line."""


class Problem(NamedTuple):
    """One thing that is wrong with a declaration or a document."""

    message: str
    where: str
    """The declaration's path, such as `agents.seller.tools[0]`."""
    file: str | None = None
    line: int | None = None
    """1-based; None when the declaration came from code."""
    column: int | None = None
    """1-based."""
    hint: str | None = None

    def __str__(self) -> str:
        place = self.where
        if self.file is not None:
            position = ":".join(str(n) for n in (self.line, self.column) if n is not None)
            place = f"{self.file}:{position}: {self.where}" if position else self.file
        return f"{place}: {self.message}" + (f" ({self.hint})" if self.hint else "")


def suggest(name: str, known: "list[str] | tuple[str, ...] | set[str]") -> str | None:
    """Return `did you mean 'x'?` for the nearest known name, or None."""
    import difflib  # 5 ms that only a failing program pays

    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else None


def _listed(known: "list[str] | tuple[str, ...]") -> str:
    """Return what there is instead, as far as it fits on a line."""
    if not known:
        return "there is none"
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return f"known: {', '.join(sorted(known)[:_LISTED])}{more}"


def unknown_name(where: str, kind: str, name: str, known: "list[str]") -> Problem:
    """Return the problem of a reference to a name that nothing declares."""
    declared = f"declared: {', '.join(known)}" if known else f"no {kind} is declared"
    return Problem(f"no {kind} named {name!r}", where, hint=suggest(name, known) or declared)


class DeclarationError(SwarmError):
    """A declaration is wrong."""

    code = "declaration_error"
    rpc_code = -32010


class UnknownNameError(DeclarationError):
    """A name that nothing declares."""

    code = "unknown_name"
    rpc_code = -32011

    def __init__(self, kind: str, name: str, known: "list[str] | tuple[str, ...]" = ()) -> None:
        self.kind, self.name = kind, name
        self.hint = suggest(str(name), known) or _listed(known)
        super().__init__(f"no {kind} named {name!r}; {self.hint}")


class DuplicateNameError(DeclarationError):
    """A name that is declared twice."""

    code = "duplicate_name"
    rpc_code = -32012

    def __init__(self, kind: str, name: str) -> None:
        self.kind, self.name = kind, name
        super().__init__(f"{kind} {name!r} is declared already; declare each name once")


class InvalidIdError(DeclarationError):
    """A client id or a name that may not be used."""

    code = "invalid_id"
    rpc_code = -32013


class ValidationError(DeclarationError):
    """All problems of a catalog or a document."""

    code = "validation_error"
    rpc_code = -32014

    def __init__(self, problems: "list[Problem] | tuple[Problem, ...]") -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{count} problem{'s' if count != 1 else ''}\n{lines}")


class SetupError(SwarmError):
    """The machine or its environment lacks something."""

    code = "setup_error"
    rpc_code = -32020


class MissingExtraError(SetupError):
    """A library of an optional extra is not installed."""

    code = "missing_extra"
    rpc_code = -32021

    def __init__(self, package: str, extra: str) -> None:
        self.package, self.extra = package, extra
        self.hint = f"pip install 'wikiswarm[{extra}]'"
        super().__init__(f"{package} is not installed; run: {self.hint}")


class MissingKeyError(SetupError):
    """An environment variable that should hold a key is not set."""

    code = "missing_key"
    rpc_code = -32022

    def __init__(self, variable: str, purpose: str) -> None:
        self.variable = variable
        self.hint = f"set {variable} in the environment or in .env"
        super().__init__(f"no key for {purpose}; {self.hint}")


class StoreError(SetupError):
    """The journal or another file of ours cannot be opened, read or written."""

    code = "store_error"
    rpc_code = -32023


class DataError(SwarmError):
    """A file that was passed in is wrong."""

    code = "data_error"
    rpc_code = -32030


class ProviderError(SwarmError):
    """A model provider failed."""

    code = "provider_error"
    rpc_code = -32040

    def __init__(
        self,
        message: str,
        *,
        provider: str,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.provider, self.status, self.retry_after = provider, status, retry_after
        super().__init__(f"{provider}: {message}")


class ProviderRefusedError(ProviderError):
    """The provider understood the request and refused it; trying again is useless."""

    code = "provider_refused"
    rpc_code = -32041


class ProviderBusyError(ProviderError):
    """The provider is over its limits; `retry_after` is in seconds when it said so."""

    code = "provider_busy"
    rpc_code = -32042


class ProviderDownError(ProviderError):
    """The provider cannot be reached or broke in the middle of its answer."""

    code = "provider_down"
    rpc_code = -32043


class ProviderTimeoutError(ProviderError):
    """The provider gave no answer in time."""

    code = "provider_timeout"
    rpc_code = -32044


class ProviderOutputError(ProviderError):
    """The provider's answer is not what its API promises."""

    code = "provider_output"
    rpc_code = -32045


class TurnError(SwarmError):
    """One turn failed; the session lives on and its history is intact."""

    code = "turn_error"
    rpc_code = -32050

    def __init__(self, message: str, *, client_id: str, agent_name: str) -> None:
        self.client_id, self.agent_name = client_id, agent_name
        self.text = message
        """The message without the names, for models: a client's id may be a telephone number."""
        super().__init__(f"{message} (client {client_id!r}, agent {agent_name!r})")


class TurnTimeoutError(TurnError):
    """The turn's deadline passed before there was an answer."""

    code = "turn_timeout"
    rpc_code = -32051


class TurnInterruptedError(TurnError):
    """The turn was cancelled, or its process ended in the middle."""

    code = "turn_interrupted"
    rpc_code = -32052


class ToolOutputError(TurnError):
    """A tool output for a call that nobody made, or that has its output already."""

    code = "tool_output"
    rpc_code = -32053


class NavigationError(TurnError):
    """A hand-off to an agent outside the swarm, or one hand-off too many."""

    code = "navigation"
    rpc_code = -32054


class CallbackError(TurnError):
    """A function that a declaration names raised, or returned what it may not."""

    code = "callback_error"
    rpc_code = -32056

    def __init__(self, function: str, reason: str, *, client_id: str, agent_name: str) -> None:
        self.function, self.reason = function, reason
        super().__init__(f"{function} failed: {reason}", client_id=client_id, agent_name=agent_name)


class BudgetExceededError(TurnError):
    """A limit of a `budget` is reached, so no further model call is made."""

    code = "budget_exceeded"
    rpc_code = -32057

    def __init__(
        self,
        limit: str,
        *,
        owner: str,
        spent: float,
        allowed: float,
        client_id: str,
        agent_name: str,
        reason: str | None = None,
    ) -> None:
        self.limit, self.owner, self.spent, self.allowed = limit, owner, spent, allowed
        self.hint = f"raise `{limit}` in the budget of {owner}"
        if limit.startswith("session_"):
            self.hint += ", or begin another conversation"
        text = reason or f"{spent:.6g} of {allowed:.6g} are spent"
        super().__init__(
            f"`{limit}` of {owner}: {text}", client_id=client_id, agent_name=agent_name
        )


class SessionError(SwarmError):
    """There is no such live session, it is closed, or it is open elsewhere."""

    code = "session_error"
    rpc_code = -32060


class ControlFlow(Exception):
    """Raised by a tool to steer its turn; never leaves the turn."""


class ToolFailed(ControlFlow):
    """The tool failed for a reason that the model should read.

    Any other exception of a tool is reported to the model by its class and message as well; this
    one says that the message was written for it.
    """


class StopTools(ControlFlow):
    """Skip the tool calls of this round that have not started."""


def require(package: str, *, extra: str) -> ModuleType:
    """Import an optional library, or say which extra brings it.

    Args:
        package: The module to import, such as `cohere`.
        extra: The extra of this distribution that installs it.

    Raises:
        MissingExtraError: The library is not installed.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as missing:
        # A library that is there but lacks one of its own needs is a different trouble.
        if missing.name is None or missing.name.split(".")[0] != package.split(".")[0]:
            raise
        raise MissingExtraError(package, extra) from None
