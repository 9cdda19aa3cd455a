"""`python -m bindings`: the core for programs in other languages, over pipes or a WebSocket.

The protocol has the descriptors of its own before anything else is imported: libraries print
banners, and none may reach the program.
"""

import argparse
import os
import sys
from pathlib import Path

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the core until the program leaves, or a signal comes; returns the exit status."""
    options = _parser().parse_args(arguments)
    reading, writing = -1, -1
    if options.stdio:
        sys.stdout.flush()
        reading, writing = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
    elif options.fd is not None:
        try:
            os.set_inheritable(options.fd, False)
        except OSError as error:
            sys.stderr.write(f"error: --fd {options.fd}: {error.strerror}\n")
            return 2
        reading = writing = options.fd
        os.dup2(2, 1)
    from bindings.rpc.serve import run_core  # after the descriptors are safe

    return run_core(
        reading=reading,
        writing=writing,
        address=options.ws,
        documents=options.load,
        home=options.home,
        max_message_bytes=options.max_message_bytes,
        resume_window=options.resume_window,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bindings",
        description="The core of wikiswarm for programs in other languages; see docs/protocol.md.",
    )
    ways = parser.add_mutually_exclusive_group(required=True)
    ways.add_argument("--stdio", action="store_true", help="speak over standard input and output")
    ways.add_argument("--fd", type=int, metavar="N", help="speak over an inherited socket")
    ways.add_argument("--ws", metavar="HOST:PORT", help="listen for WebSockets; port 0 is any")
    parser.add_argument(
        "--load",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="declare what a YAML document declares; may be given again",
    )
    parser.add_argument("--home", type=Path, metavar="FOLDER", help="where the state is kept")
    parser.add_argument(
        "--max-message-bytes",
        type=int,
        default=16 * 1024 * 1024,
        metavar="N",
        help="longest message",
    )
    parser.add_argument(
        "--resume-window",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long a WebSocket that broke is kept; 0 is not at all",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
