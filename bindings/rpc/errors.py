"""The errors of the protocol itself, and every error as it looks on the wire."""

import importlib
import pkgutil
from collections.abc import Iterator

from swarm.errors import SwarmError

__all__ = [
    "CallbackOutputError",
    "CallbackTimeoutError",
    "CancelledError",
    "ConnectionLostError",
    "MessageTooLargeError",
    "NotInitializedError",
    "ResumeRefusedError",
    "RpcError",
    "TooManyRequestsError",
    "UnauthorizedError",
    "UnknownCallbackError",
    "UnsupportedProtocolError",
    "error_classes",
]


class RpcError(SwarmError):
    """The protocol, or the program at the other end of it, failed."""

    code = "rpc_error"
    rpc_code = -32009


class UnsupportedProtocolError(RpcError):
    """There is no version that both sides speak."""

    code = "unsupported_protocol"
    rpc_code = -32001

    def __init__(self, asked: int, supported: int) -> None:
        self.asked, self.supported = asked, [supported]
        self.hint = "install the same version of wikiswarm on both sides"
        super().__init__(f"version {asked} of the protocol is not spoken here; {supported} is")


class UnauthorizedError(RpcError):
    """The token is missing or wrong, or the page that connects may not."""

    code = "unauthorized"
    rpc_code = -32002


class NotInitializedError(RpcError):
    """A message before `initialize`."""

    code = "not_initialized"
    rpc_code = -32003


class UnknownCallbackError(RpcError):
    """A function that the program does not have, or that the core does not have any more."""

    code = "unknown_callback"
    rpc_code = -32004


class CallbackTimeoutError(RpcError):
    """A function of the program gave no answer before its deadline."""

    code = "callback_timeout"
    rpc_code = -32005

    def __init__(self, callback: str, seconds: float) -> None:
        self.callback = callback
        super().__init__(f"{callback} gave no answer within {seconds:g} s")


class CallbackOutputError(RpcError):
    """A function of the program returned what it may not."""

    code = "callback_output"
    rpc_code = -32101

    def __init__(self, callback: str, reason: str) -> None:
        self.callback = callback
        super().__init__(f"{callback} returned what it may not: {reason}")


class MessageTooLargeError(RpcError):
    """A frame is longer than the limit; the connection ends."""

    code = "message_too_large"
    rpc_code = -32006

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"a message has more than {limit:,} bytes")


class TooManyRequestsError(RpcError):
    """The program has as many requests under way as it may."""

    code = "too_many_requests"
    rpc_code = -32007

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"{limit} requests are under way; wait for one of them")


class ResumeRefusedError(RpcError):
    """The connection that should go on is gone; begin a new one."""

    code = "resume_refused"
    rpc_code = -32008


class CancelledError(RpcError):
    """The request was cancelled by its sender, or with the turn that it belongs to."""

    code = "cancelled"
    rpc_code = -32800


class ConnectionLostError(RpcError):
    """The other side is gone, so nothing that was asked will be answered."""

    code = "connection_lost"
    rpc_code = -32801


def error_classes() -> list[type[SwarmError]]:
    """Return every error class of wikiswarm, those of all its packages."""
    import declarative
    import swarm
    import wiki

    importlib.import_module("bindings.rpc.failures")
    for package in (swarm, wiki, declarative):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith(".errors"):
                importlib.import_module(module.name)
    packages = ("swarm.", "wiki.", "declarative.", "bindings.rpc.")
    # What a program may be told; what else this process happens to have loaded says nothing.
    found = {
        error.code: error for error in _below(SwarmError) if error.__module__.startswith(packages)
    }
    return sorted(found.values(), key=lambda error: (-error.rpc_code, error.code))


def _below(base: type[SwarmError]) -> Iterator[type[SwarmError]]:
    yield base
    for child in base.__subclasses__():
        yield from _below(child)
