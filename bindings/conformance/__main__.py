"""`python -m bindings.conformance CMD...`: what a binding does right and wrong, line by line."""

import argparse
import sys

import anyio

from bindings.conformance.checks import CHECKS
from bindings.conformance.play import PATIENCE
from bindings.conformance.run import run_checks

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Check a program; returns 0 when it does everything right."""
    options = _parser().parse_args(arguments)
    known = [check.id for check in CHECKS]
    unknown = [name for name in options.only if name not in known]
    if unknown:
        sys.stderr.write(f"error: no check {unknown[0]!r}; there are: {', '.join(known)}\n")
        return 2
    return anyio.run(_run, options.command, options.stdio, options.only, options.patience)


async def _run(command: list[str], over_stdio: bool, only: list[str], patience: float) -> int:
    failed = total = 0
    async for outcome in run_checks(command, over_stdio=over_stdio, only=only, patience=patience):
        total += 1
        failed += outcome.problem is not None
        mark = "ok  " if outcome.problem is None else "FAIL"
        sys.stdout.write(f"{mark} {outcome.check.id}: {outcome.check.text}\n")
        if outcome.problem is not None:
            sys.stdout.write(f"     {outcome.problem}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{total - failed} of {total} checks passed\n")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bindings.conformance",
        description="Checks that a program speaks the protocol; see docs/protocol.md.",
    )
    parser.add_argument("--stdio", action="store_true", help="it speaks on stdin and stdout")
    parser.add_argument(
        "--only", action="append", default=[], metavar="ID", help="run this check; may be repeated"
    )
    parser.add_argument(
        "--patience", type=float, default=PATIENCE, metavar="SECONDS", help="how long to wait"
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="CMD", help="starts it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
