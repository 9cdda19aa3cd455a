"""Tasks that live as long as a `with` block."""

import logging
from types import TracebackType

import anyio

__all__ = ["BlockTasks", "log_failure"]

_log = logging.getLogger("wikiswarm")


class BlockTasks:
    """A task group that is cancelled when its block is left, whatever the reason.

    An error of the block passes by as it is; in a plain task group it would come out in a group.
    The tasks are written so that they raise nothing; see `log_failure`.
    """

    def __init__(self) -> None:
        self.group = anyio.create_task_group()
        self.is_left = False
        """No task can be started any more."""

    async def __aenter__(self) -> "BlockTasks":
        await self.group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.is_left = True
        self.group.cancel_scope.cancel()
        await self.group.__aexit__(None, None, None)


def log_failure(what: str, error: Exception) -> None:
    """Write down what went wrong in a task that nobody waits for."""
    _log.error("%s: %s: %s", what, type(error).__name__, error)
