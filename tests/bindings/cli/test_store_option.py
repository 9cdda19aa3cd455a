"""`--store` and `WIKISWARM_STORE`: the commands read the store that `chat` wrote."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bindings.cli import app
from tests.postgres import PostgresServer

DOCUMENT = """
completions: {m: {model: offline}}
agents: {seller: {completion: m, prompt: hi}}
swarms: {shop: {agent_list: [seller], default_agent: seller}}
"""
PASSWORD = "Pw-Planted9"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/elsewhere.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.fresh_url().replace("postgres@", f"postgres:{PASSWORD}@", 1)


def test_the_option_and_the_variable_name_the_store(
    home: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("shop.yaml").write_text(DOCUMENT, encoding="utf-8")
    runner = CliRunner()
    said: list[str] = []

    def run(*words: str) -> str:
        done = runner.invoke(app, words)
        said.append(done.output)
        assert done.exit_code == 0, done.output
        return done.output

    run("chat", "shop.yaml", "--message", "hello there", "--store", url)
    assert not home.exists()
    listed = run("runs", "list", "--json", "--store", url)
    assert "hello there" in listed
    assert "hello there" in run("runs", "--store", url)
    assert "hello there" not in run("runs", "list", "--json")
    monkeypatch.setenv("WIKISWARM_STORE", url)
    assert "hello there" in run("runs", "list", "--json")
    run("chat", "shop.yaml", "--message", "and again")
    assert "and again" in run("runs", "list", "--json")
    run("doctor")
    for words in (("--help",), ("chat", "--help"), ("runs", "list", "--help")):
        run(*words)
    assert PASSWORD not in "".join(said)


@pytest.mark.parametrize(
    "words",
    [
        ["ask", "shop.yaml", "faq", "hello"],
        ["mcp", "show", "shop.yaml", "shelves"],
        ["mcp", "approve", "shop.yaml", "shelves"],
        ["serve", "shop.yaml", "--mcp"],
    ],
)
def test_every_command_that_opens_a_host_takes_the_option(home: Path, words: list[str]) -> None:
    more = "wikis: {faq: {completion: m}}\nmcp: {shelves: {command: [nothing]}}\n"
    Path("shop.yaml").write_text(DOCUMENT + more, encoding="utf-8")
    url = f"postgresql://me:{PASSWORD}@127.0.0.1:1/x"
    done = CliRunner().invoke(app, [*words, "--store", url])
    assert done.exit_code == 3, done.output
    assert "postgresql://me@127.0.0.1:1/x failed" in " ".join(done.output.split())
    assert PASSWORD not in done.output


def test_a_store_that_cannot_be_reached(home: Path) -> None:
    done = CliRunner().invoke(app, ["runs", "--store", f"postgresql://me:{PASSWORD}@127.0.0.1:1/x"])
    assert done.exit_code == 3
    assert "postgresql://me@127.0.0.1:1/x failed" in " ".join(done.output.split())
    assert PASSWORD not in done.output
