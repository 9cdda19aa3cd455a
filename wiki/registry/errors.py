"""What goes wrong in the model registry, besides names that do not exist."""

from pathlib import Path

from swarm.errors import DataError, DeclarationError

__all__ = ["CorruptedVersionError", "NotPromotedError"]


class CorruptedVersionError(DataError):
    """A file of the registry is not what was registered; `file` names it."""

    code = "corrupted_version"
    rpc_code = -32033

    def __init__(self, file: Path, reason: str) -> None:
        self.file, self.reason = file, reason
        super().__init__(f"{file}: {reason}")


class NotPromotedError(DeclarationError):
    """The model has versions, but none that the alias stands for yet."""

    code = "not_promoted"
    rpc_code = -32016
