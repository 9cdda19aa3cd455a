"""The TypeScript package: its own checks and tests, against this repository's core."""

import json

import pytest

from tests.bindings.typescript.package import PACKAGE, install, needs_node, npm


@needs_node
@pytest.mark.xdist_group("npm")
def test_package_is_typed_tidy_and_tested() -> None:
    install()
    for arguments in (["run", "types"], ["run", "lint"], ["test"]):
        npm(*arguments)


def test_lock_file_names_no_registry() -> None:
    # Another registry than the one it was made with must do.
    assert '"resolved"' not in (PACKAGE / "package-lock.json").read_text(encoding="utf-8")


def test_package_has_no_install_script_and_few_dependencies() -> None:
    package = json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))
    assert set(package["dependencies"]) == {"vscode-jsonrpc", "ws"}
    assert not {"preinstall", "install", "postinstall", "prepare"} & set(package["scripts"])
