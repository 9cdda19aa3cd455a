"""What keeps a round of the loop from starting or going on."""

from pathlib import Path

from swarm.errors import DeclarationError, SetupError, StoreError

__all__ = [
    "LicenceUnknownError",
    "LiveChangedError",
    "LoopRunningError",
    "MachineTooSmallError",
    "NoSpaceError",
]


class LoopRunningError(SetupError):
    """Another process runs a round of the same wiki."""

    code = "loop_running"
    rpc_code = -32140

    def __init__(self, wiki: str, holder: str) -> None:
        self.wiki = wiki
        self.hint = "wait for its end; a process that died leaves no lock behind"
        super().__init__(f"another round of {wiki!r} is running{holder}; {self.hint}")


class LicenceUnknownError(DeclarationError):
    """Nobody said under which licence the base is, so its model may not be passed on."""

    code = "licence_unknown"
    rpc_code = -32141

    def __init__(self, wiki: str, base: str) -> None:
        self.hint = f"set wikis.{wiki}.loop.licence, such as apache-2.0; see its model card"
        super().__init__(f"the licence of the base {base!r} is not known; {self.hint}")


class NoSpaceError(StoreError):
    """The disk has less room than the round needs."""

    code = "no_space"
    rpc_code = -32142

    def __init__(self, folder: Path, needed: int, free: int) -> None:
        self.needed, self.free = needed, free
        self.hint = "make room, choose another folder with --home, or a smaller base"
        super().__init__(
            f"{folder}: a round needs about {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are"
            f" free; {self.hint}"
        )


class MachineTooSmallError(SetupError):
    """The plan says that the machine cannot hold the training."""

    code = "machine_too_small"
    rpc_code = -32143

    def __init__(self, reasons: tuple[str, ...]) -> None:
        self.reasons = reasons
        self.hint = "the estimate may be wrong by some; --force tries it all the same"
        super().__init__(f"this machine cannot hold the training: {'; '.join(reasons)}")


class LiveChangedError(SetupError):
    """Another version went into service while the new one was judged."""

    code = "live_changed"
    rpc_code = -32144

    def __init__(self, judged: str, live: str) -> None:
        self.hint = "start the loop again; it judges the new version anew, and trains nothing"
        super().__init__(
            f"the new version was judged beside {judged}, and {live} is in service now; {self.hint}"
        )
