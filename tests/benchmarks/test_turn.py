"""That the benchmark of turns compares equals and reports what it says; no timing is checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks.contenders import bare_loop, question, wikiswarm
from benchmarks.stub import answer
from benchmarks.turn import main
from swarm.testing import StubServer

_SMALL = ["--turns", "1", "--least-turns", "20", "--repeats", "1"]
_COLUMNS = {"contender", "conversations", "cpu_ms", "ratio", "wall_seconds", "turns_per_second"}


@pytest.mark.anyio
async def test_all_contenders_send_the_same(tmp_path: Path) -> None:
    turns = 3
    async with StubServer(answer) as server:

        async def sent(contender: Any) -> list[Any]:
            server.requests.clear()
            async with contender as opened, opened(["client"]) as chats:
                for number in range(turns):
                    assert "boxes" in await chats[0](question(number))
            return [_essence(request) for request in server.requests]

        bare = await sent(bare_loop(server.base_url))
        journal = await sent(wikiswarm(server.base_url, tmp_path / "a", turns=turns))
        streamed = await sent(
            wikiswarm(server.base_url, tmp_path / "b", turns=turns, is_streamed=True)
        )
    assert len(bare) == 2 * turns
    assert len(bare[-1]["messages"]) == 4 * turns
    assert journal == bare
    assert streamed == bare


def test_reports_each_contender_at_each_number(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    arguments = [*_SMALL, "--conversations", "1,3"]
    code = main([*arguments, "--folder", str(tmp_path), "--json", str(file)])
    rows = orjson.loads(file.read_bytes())
    assert code == 0
    assert [(row["conversations"], row["contender"]) for row in rows] == [
        (count, name) for count in (1, 3) for name in ("bare", "journal", "effect", "streamed")
    ]
    for row in rows:
        assert set(row) == _COLUMNS
        assert row["cpu_ms"] > 0
        assert row["turns_per_second"] > 0
    assert [row["ratio"] for row in rows if row["contender"] == "bare"] == [1, 1]
    assert list(tmp_path.iterdir()) == [file]


def test_fails_above_the_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*_SMALL, "--conversations", "1", "--limit", "0.001"]
    assert main([*arguments, "--folder", str(tmp_path)]) == 1
    assert "over the limit of 0.001" in capsys.readouterr().err


def _essence(request: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what only says how the answer comes."""
    return {k: v for k, v in request.items() if k not in ("stream", "stream_options")}
