"""What goes wrong between a GGUF file and an engine that serves it."""

from pathlib import Path

from swarm.errors import DataError, SetupError

__all__ = ["EngineError", "EngineTimeoutError", "GgufError", "UnsupportedModelError"]


class GgufError(DataError):
    """The file is no GGUF file, or one that must not be loaded."""

    code = "gguf_error"
    rpc_code = -32031

    def __init__(self, reason: str, path: Path | None = None) -> None:
        self.reason, self.path = reason, path
        super().__init__(reason if path is None else f"{path}: {reason}")


class UnsupportedModelError(GgufError):
    """The file is sound, but the engine does not know its architecture."""

    code = "unsupported_model"
    rpc_code = -32032


class EngineError(SetupError):
    """The engine did not start, or died; `log_tail` has the last lines of its log."""

    code = "engine_error"
    rpc_code = -32024

    def __init__(self, message: str, *, log_tail: str = "") -> None:
        self.log_tail = log_tail
        super().__init__(message + (f"; its log ends with:\n{log_tail}" if log_tail else ""))


class EngineTimeoutError(EngineError):
    """The engine was not ready in time and was stopped."""

    code = "engine_timeout"
    rpc_code = -32025
