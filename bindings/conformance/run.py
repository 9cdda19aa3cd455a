"""Runs the checks against a command, one fresh program each."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import NamedTuple

import anyio

from bindings.conformance.checks import CHECKS, Check
from bindings.conformance.play import PATIENCE, Mismatch, playing

__all__ = ["Outcome", "run_checks"]

_LONGEST = 60.0
"""Seconds for one check."""


class Outcome(NamedTuple):
    """What came of a check."""

    check: Check
    problem: str | None
    """What the program does wrong; None when it is right."""


async def run_checks(
    command: Sequence[str],
    *,
    over_stdio: bool = False,
    only: Sequence[str] = (),
    patience: float = PATIENCE,
    environment: Mapping[str, str] | None = None,
) -> AsyncGenerator[Outcome, None]:
    """Yield the outcome of each check.

    Args:
        command: What starts the program.
        over_stdio: It speaks on its standard input and output.
        only: Ids of the checks to run; all of them when empty.
        patience: Seconds for anything that the program has to do.
        environment: Its environment; that of this process when absent.
    """
    for check in CHECKS:
        if only and check.id not in only:
            continue
        problem: str | None = f"no end within {_LONGEST:g} s"
        with anyio.move_on_after(_LONGEST):
            try:
                async with playing(
                    command, over_stdio=over_stdio, patience=patience, environment=environment
                ) as program:
                    await check.play(program)
                problem = None
            except Mismatch as wrong:
                problem = str(wrong)
        yield Outcome(check, problem)
