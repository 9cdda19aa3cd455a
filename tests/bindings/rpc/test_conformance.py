"""The runner that checks bindings: it passes one that is right and names what others do wrong."""

import sys
from pathlib import Path

import pytest

from bindings.conformance import CHECKS
from bindings.conformance.__main__ import main

PROGRAM = Path(__file__).with_name("program.py")


@pytest.mark.requirement("wire:callback:invoke", "wire:callback:throws", "wire:callback:concurrent")
@pytest.mark.parametrize("way", [[], ["--stdio"]])
def test_a_program_by_hand_passes(way: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*way, sys.executable, str(PROGRAM)]) == 0
    printed = capsys.readouterr().out
    assert printed.count("ok   wire:") == len(CHECKS)
    assert f"{len(CHECKS)} of {len(CHECKS)} checks passed" in printed


@pytest.mark.parametrize(
    ("before", "after", "failing"),
    [
        ('self.refuse(request_id, -32601, f"no method {method}")', "return", "unknown-method"),
        ('params = {**params, "_meta": {"callId": call_id}}', "pass", "callback:nested"),
        ("len(frame) > self.limit", "False", "frame:oversized"),
        ("cancelled.wait()", "threading.Event().wait()", "cancel:answered"),
        ("    return 0\n", "    threading.Event().wait()\n    return 0\n", "connection:lost"),
        ('"protocol": 1, "minProtocol": 1', '"protocol": 5, "minProtocol": 4', "handshake:welcome"),
        ("-32056, str(error)", '-32056, "failed"', "callback:throws"),
    ],
)
def test_what_a_program_does_wrong_is_named(
    before: str,
    after: str,
    failing: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = PROGRAM.read_text(encoding="utf-8")
    assert before in source
    broken = tmp_path / "program.py"
    broken.write_text(source.replace(before, after), encoding="utf-8")
    name = next(check.id for check in CHECKS if check.id.endswith(failing))
    assert main(["--patience", "1.5", "--only", name, sys.executable, str(broken)]) == 1
    assert f"FAIL {name}" in capsys.readouterr().out


def test_a_command_that_is_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", CHECKS[0].id, "no-such-program"]) == 1
    assert "cannot start 'no-such-program'" in capsys.readouterr().out
    assert main(["--only", "wire:nope", "x"]) == 2
    assert "no check 'wire:nope'" in capsys.readouterr().err


def test_the_ids_of_checks_are_unique() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)
