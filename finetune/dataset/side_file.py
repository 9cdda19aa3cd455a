"""The file beside a converted file that says, line by line, what was lost or left out."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from pydantic import JsonValue

from finetune.dataset.formats.loss import Loss
from finetune.dataset.problem import Problem
from finetune.dataset.target import encode_json
from swarm.errors import StoreError
from swarm.files import replacing

__all__ = ["SideFile"]


class SideFile:
    """Takes its place when the conversion ends well, and goes away when it has no line."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.losses.jsonl")
        self.has_lines = False
        self._stack = ExitStack()
        self._file: BinaryIO | None = None

    def __enter__(self) -> "SideFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        # The file takes its place only without an error; see `replacing`.
        result = self._stack.__exit__(kind, error, trace)
        if kind is None and not self.has_lines:
            self.path.unlink(missing_ok=True)  # of an earlier conversion, and no longer true
        return result

    def add_loss(self, line: int, loss: Loss) -> None:
        """Write what a written row does not say."""
        path: list[JsonValue] = list(loss.path)
        self._write(
            {
                "line": line,
                "code": loss.code,
                "message": loss.message,
                "path": path,
                "kept": loss.is_kept,
            }
        )

    def add_problem(self, problem: Problem) -> None:
        """Write why a row was left out."""
        self._write(
            {
                "line": problem.line,
                "column": problem.column,
                "code": problem.code,
                "message": problem.message,
                "skipped": True,
            }
        )

    def _write(self, value: JsonValue) -> None:
        try:
            if self._file is None:
                self._file = self._stack.enter_context(replacing(self.path))
            self._file.write(encode_json(value) + b"\n")
        except OSError as error:
            raise StoreError(f"cannot write {self.path}: {error.strerror or error}") from error
        self.has_lines = True
