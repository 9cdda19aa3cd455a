"""What commands print, and how errors become exit codes.

0 done, 1 the input has problems, 2 wrong usage, 3 a provider or the environment failed. Results
go to standard output, everything else to standard error.
"""

import functools
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ParamSpec, TypeVar, cast

import typer

__all__ = [
    "command",
    "counted",
    "done",
    "fail",
    "plain",
    "print_json",
    "print_json_line",
    "print_table",
    "say",
]

_HARMLESS = "\n\t\u200c\u200d"
"""Line ends, and the joiners without which some scripts and emoji fall apart."""

P = ParamSpec("P")
Result = TypeVar("Result")


def command(function: Callable[P, Result]) -> Callable[P, Result]:
    """Run a command; its errors end in one clear message and the right exit code."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> Result:
        try:
            return function(*args, **kwargs)
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            say("interrupted")
            raise typer.Exit(130) from None
        except BrokenPipeError:
            raise typer.Exit(0) from None
        except ExceptionGroup as group:
            raise typer.Exit(fail(_first(group))) from None
        except Exception as error:
            raise typer.Exit(fail(error)) from None

    return run


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 row`, `2 rows`."""
    return f"{number} {noun}{'s' if number != 1 else ''}"


def fail(error: Exception) -> int:
    """Print an error and return the exit code.

    Raises:
        Exception: The error itself, when it is none of ours: that is a defect, and its trace
            says where.
    """
    from swarm.errors import (
        DataError,
        DeclarationError,
        SwarmError,
        ValidationError,
    )

    if not isinstance(error, SwarmError):
        raise error
    if isinstance(error, ValidationError):
        for problem in error.problems:
            say(f"error: {problem}")
        count = len(error.problems)
        say(f"{count} problem{'s' if count != 1 else ''}")
        return 1
    message = str(error)
    say(f"error: {message}")
    if error.hint and error.hint not in message:
        say(f"hint: {error.hint}")
    return 1 if isinstance(error, DeclarationError | DataError) else 3


def say(text: str) -> None:
    """Print a line to standard error."""
    print(plain(text), file=sys.stderr)


def done(text: str) -> None:
    """Print a line of the result, at once, also into a pipe."""
    print(plain(text), flush=True)


def plain(text: str) -> str:
    """Return text without control characters: what a model writes must not steer a terminal."""
    return "".join(
        # Of all spaces, only the plain one counts as printable.
        c
        for c in text
        if c.isprintable() or c in _HARMLESS or unicodedata.category(c) == "Zs"
    )


def print_json(value: object) -> None:
    """Print a value as indented JSON; models and dataclasses are taken apart."""
    from orjson import OPT_INDENT_2

    print(_encode(value, OPT_INDENT_2))


def print_json_line(value: object) -> None:
    """Print a value as one line of JSON, for commands that print several."""
    print(_encode(value, 0), flush=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; without a terminal, tab-separated lines."""
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(plain(str(cell)).replace("\n", " ") for cell in row))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(Text(plain(str(cell))) for cell in row))
    Console().print(table)


def _encode(value: object, options: int) -> str:
    import orjson
    from pydantic import BaseModel

    def default(item: object) -> Any:
        return item.model_dump(mode="json") if isinstance(item, BaseModel) else str(item)

    return orjson.dumps(value, default=default, option=options | orjson.OPT_NON_STR_KEYS).decode()


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """Return the first error of a group of tasks."""
    error = group.exceptions[0]
    if not isinstance(error, ExceptionGroup):
        return error
    # A group inside a group of exceptions holds exceptions, which isinstance cannot tell.
    return _first(cast("ExceptionGroup[Exception]", error))
