"""The protocol by which programs in other languages use the core.

`wire`, `shapes`, `verbs` and `methods` say what is spoken; `peer` and `framing` speak it, and
`program` is what the core has of a program that is connected. `core` greets programs, and `serve`
and `websocket` bring them to it.
"""

from bindings.rpc.core import Core
from bindings.rpc.framing import LineChannel
from bindings.rpc.peer import PeerLimits
from bindings.rpc.serve import run_core, serve_descriptors
from bindings.rpc.websocket import serve_websocket
from bindings.rpc.wire import PROTOCOL

__all__ = [
    "PROTOCOL",
    "Core",
    "LineChannel",
    "PeerLimits",
    "run_core",
    "serve_descriptors",
    "serve_websocket",
]
