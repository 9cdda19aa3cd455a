"""Warnings of the core, for programs that asked for them when they introduced themselves."""

import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager

from bindings.rpc.peer import Peer
from bindings.rpc.wire import LogParams

__all__ = ["told_of_warnings"]

_LONGEST = 4000
"""Characters of a line."""
_LEVELS = {logging.WARNING: "warning", logging.ERROR: "error", logging.CRITICAL: "error"}


class _Teller(logging.Handler):
    def __init__(self, peer: Peer) -> None:
        super().__init__(logging.WARNING)
        self._peer = peer
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        # A peer belongs to its event loop; what other threads say stands in the core's own log.
        if threading.get_ident() != self._thread:
            return
        params = LogParams.model_validate(
            {
                "level": _LEVELS.get(record.levelno, "warning"),
                "logger": record.name,
                "message": record.getMessage()[:_LONGEST],
            }
        )
        self._peer.try_notify("log", params.model_dump(mode="json", by_alias=True))


@contextmanager
def told_of_warnings(peer: Peer, *, is_asked: bool) -> Generator[None]:
    """Tell a program of the core's warnings while the block runs, if it asked for that."""
    if not is_asked:
        yield
        return
    teller, logger = _Teller(peer), logging.getLogger("wikiswarm")
    logger.addHandler(teller)
    try:
        yield
    finally:
        logger.removeHandler(teller)
