"""What a file needs to run in Node, found or refused in one line; no Node is needed here."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bindings.node import find_needs, node_command
from bindings.node.finding import check_program
from swarm.errors import DataError, SetupError

NodeOf = Callable[[str], dict[str, str]]


@pytest.fixture
def node(tmp_path: Path) -> NodeOf:
    """A program in the place of Node that says a version, as the environment that names it."""

    def make(version: str) -> dict[str, str]:
        path = tmp_path / f"node-{len(list(tmp_path.iterdir()))}"
        path.write_text(f"#!/bin/sh\necho '{version}'\n", encoding="utf-8")
        path.chmod(0o755)
        return {"WIKISWARM_NODE": str(path)}

    return make


def _file(folder: Path, name: str = "program.ts") -> Path:
    path = folder / name
    path.write_text("", encoding="utf-8")
    return path


def _package(folder: Path, name: str, content: str) -> Path:
    place = folder / "node_modules" / name
    place.mkdir(parents=True)
    (place / "package.json").write_text(content, encoding="utf-8")
    return place


def test_what_is_no_program_is_refused(tmp_path: Path) -> None:
    _file(tmp_path, "program.ts")
    _file(tmp_path, "swarm.yaml")
    for name, said in {
        "prograam.ts": r"there is no file .*prograam\.ts; did you mean 'program\.ts'\?",
        "none/program.ts": r"there is no file .*program\.ts$",
        ".": "is a folder; name the program in it",
        "swarm.yaml": r"is no program for Node; those end in \.ts, \.mts",
    }.items():
        with pytest.raises(DataError, match=said):
            check_program(tmp_path / name)


def test_node_is_missing(tmp_path: Path) -> None:
    file = _file(tmp_path)
    with pytest.raises(SetupError, match="no Node found; install Node 20 or later, or name it in"):
        find_needs(file, {"PATH": str(tmp_path)})
    with pytest.raises(SetupError, match="WIKISWARM_NODE names 'no-node', which is no program"):
        find_needs(file, {"PATH": str(tmp_path), "WIKISWARM_NODE": "no-node"})


def test_node_is_too_old_or_is_none(tmp_path: Path, node: NodeOf) -> None:
    file = _file(tmp_path, "program.js")
    with pytest.raises(SetupError, match=r"is Node 18\.19; install Node 20 or later"):
        find_needs(file, node("v18.19.1"))
    with pytest.raises(SetupError, match="does not say its version"):
        find_needs(file, node("hello"))


@pytest.mark.parametrize(
    ("name", "version", "runs"),
    [
        ("program.js", "v20.0.0", True),
        ("program.ts", "v20.20.2", False),
        ("program.ts", "v22.17.9", False),
        ("program.mts", "v22.18.0", True),
        ("program.ts", "v23.5.0", False),
        ("program.cts", "v24.0.0", True),
        ("program.tsx", "v24.0.0", False),
    ],
)
def test_typescript_needs_tsx_where_node_does_not_strip_types(
    tmp_path: Path, node: NodeOf, name: str, version: str, runs: bool
) -> None:
    folder = tmp_path / "my programs"
    folder.mkdir()
    file, environment = _file(folder, name), node(version)
    if runs:
        assert node_command(file, environment) == [environment["WIKISWARM_NODE"], str(file)]
    else:
        with pytest.raises(SetupError, match=r"needs tsx, .*; run: npm install --prefix '.*' tsx$"):
            node_command(file, environment)


def test_tsx_is_found_upwards(tmp_path: Path, node: NodeOf) -> None:
    loader = _package(tmp_path, "tsx", '{"exports": {".": {"import": "./loader.mjs"}}}')
    (loader / "loader.mjs").write_text("", encoding="utf-8")
    below = tmp_path / "a b" / "c"
    below.mkdir(parents=True)
    file, environment = _file(below), node("v20.0.0")
    name = environment["WIKISWARM_NODE"]
    uri = (loader / "loader.mjs").as_uri()
    assert node_command(file, environment) == [name, "--import", uri, str(file)]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"exports": 3}', '{"exports": {".": "./x"}}'])
def test_a_broken_tsx_is_none(tmp_path: Path, node: NodeOf, content: str) -> None:
    _package(tmp_path, "tsx", content)
    with pytest.raises(SetupError, match="needs tsx"):
        find_needs(_file(tmp_path), node("v20.0.0"))
