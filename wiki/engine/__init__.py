"""The engine: a GGUF file served by a child process.

It starts, watches and ends the process, and checks the file before native code sees it. It does
not chat: what the child serves is the API that every OpenAI-compatible client speaks.
"""

from wiki.engine.errors import EngineError, EngineTimeoutError, GgufError, UnsupportedModelError
from wiki.engine.gguf_header import GgufHeader, check_header, parse_header
from wiki.engine.pool import Check, EnginePool, memory_limit
from wiki.engine.process import Engine, start_engine

__all__ = [
    "Check",
    "Engine",
    "EngineError",
    "EnginePool",
    "EngineTimeoutError",
    "GgufError",
    "GgufHeader",
    "UnsupportedModelError",
    "check_header",
    "memory_limit",
    "parse_header",
    "start_engine",
]
