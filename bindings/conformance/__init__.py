"""Checks that a program of another language speaks the protocol: `python -m bindings.conformance`.

It plays the core, frame by frame, and knows nothing of how the program is made. docs/protocol.md
says what a program for it declares.
"""

from bindings.conformance.checks import CHECKS, Check
from bindings.conformance.play import Mismatch, Played, playing
from bindings.conformance.run import Outcome, run_checks

__all__ = ["CHECKS", "Check", "Mismatch", "Outcome", "Played", "playing", "run_checks"]
