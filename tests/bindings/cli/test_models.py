"""`models`, on versions that are small enough to be written by hand."""

from pathlib import Path

import pytest

from tests.bindings.cli.conftest import Wikiswarm
from wiki import ModelRegistry


@pytest.fixture
def registry(home: Path, tmp_path: Path) -> ModelRegistry:
    """Two versions of `pharma`, none of them live."""
    registry = ModelRegistry(home / "models")
    for number in (1, 2):
        weights = tmp_path / f"{number}.gguf"
        weights.write_bytes(b"GGUF" + bytes([number]))
        registry.register("pharma", weights=weights, metrics={"exact_train": number / 2})
    return registry


@pytest.mark.requirement("S3-20", "S3-26", "S1-15")
def test_versions_are_listed_promoted_and_rolled_back(
    wikiswarm: Wikiswarm, registry: ModelRegistry
) -> None:
    first, second = wikiswarm("models", "list").lines
    assert first.split("\t")[:2] == ["pharma@1", "-"]
    assert second.split("\t")[4] == "exact_train 1"
    assert wikiswarm("models", "promote", "pharma@1").out == "pharma@1 is live\n"
    assert wikiswarm("models", "promote", "pharma@2").out == "pharma@2 is live\n"
    assert [line.split("\t")[1] for line in wikiswarm("models", "list", "pharma").lines] == [
        "previous",
        "live",
    ]
    assert wikiswarm("models", "rollback", "pharma").out == "pharma@1 is live again\n"
    assert registry.get("pharma").version == 1
    listed = wikiswarm("models", "list", "--json").json
    assert [version["manifest"]["version"] for version in listed] == [1, 2]
    assert wikiswarm("models", "show", "pharma@live").json["manifest"]["version"] == 1
    verified = wikiswarm("models", "verify", "pharma@2")
    assert verified.out == "pharma@2: 1 files are as they were registered\n"


@pytest.mark.requirement("S3-26")
def test_a_version_that_changed_is_neither_verified_nor_promoted(
    wikiswarm: Wikiswarm, registry: ModelRegistry
) -> None:
    weights = registry.path_of_weights("pharma@2")
    weights.chmod(0o644)
    weights.write_bytes(b"GGUF" + b"\x09")
    for command in ("verify", "promote"):
        output = wikiswarm("models", command, "pharma@2", code=1)
        assert "has other content than was registered" in output.err
    assert "no live version" in wikiswarm("models", "show", "pharma@live", code=1).err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("list", "pharm"), "did you mean 'pharma'?"),
        (("show", "pharma@9"), "no model version named 'pharma@9'"),
        (("show", "pharma@live"), "promote one: wikiswarm models promote pharma@2"),
        (("show", "pharma@"), "write pharma@live"),
        (("show", "../pharma"), "cannot be the name of a model"),
        (("rollback", "pharma"), "pharma"),
        (("verify", "pharma@9"), "pharma@9"),
    ],
)
def test_what_is_not_there_is_one_line(
    wikiswarm: Wikiswarm, registry: ModelRegistry, arguments: tuple[str, ...], reason: str
) -> None:
    output = wikiswarm("models", *arguments, code=1)
    assert reason in output.err
    assert output.err.count("\n") == 1


def test_without_models_the_list_says_how_to_make_one(wikiswarm: Wikiswarm) -> None:
    assert "wikiswarm train" in wikiswarm("models", "list").err
    assert wikiswarm("models", "list", "--json").json == []


@pytest.mark.requirement("S3-24")
def test_promotion_tells_what_the_licence_asks_for(
    wikiswarm: Wikiswarm, registry: ModelRegistry
) -> None:
    promoted = wikiswarm("models", "promote", "pharma@1")
    assert "nobody said which licence pharma@1 has" in promoted.err
    weights = registry.path_of_weights("pharma@1")
    registry.register("pharma", weights=weights, licence="llama-3.1")
    promoted = wikiswarm("models", "promote", "pharma@3")
    assert promoted.out == "pharma@3 is live\n"
    assert "licence: Llama 3.1 Community License, as of 20" in promoted.err
    assert 'Show "Built with Llama"' in promoted.err
    assert "warning: the name of a model that others get has to begin with Llama" in promoted.err
    duties = wikiswarm("models", "show", "pharma@3").json["duties"]
    assert duties["licence"] == "Llama 3.1 Community License"
    assert "700 million" in " ".join(duties["terms"])
    assert duties["checked"].startswith("20")


@pytest.mark.requirement("S2-30")
def test_an_alias_is_set_and_taken_away(wikiswarm: Wikiswarm, registry: ModelRegistry) -> None:
    wikiswarm("models", "promote", "pharma@1")
    said = wikiswarm("models", "alias", "pharma@2", "candidate").out
    assert said == "pharma@candidate is pharma@2\n"
    assert registry.get("pharma@candidate").version == 2
    said = wikiswarm("models", "unalias", "pharma", "candidate").out
    assert said == "pharma@candidate was pharma@2, and is nothing now\n"
    assert [event.action for event in registry.history("pharma")][-2:] == ["alias", "unalias"]
    assert "candidate" in wikiswarm("models", "unalias", "pharma", "candidate", code=1).err
    for name in ("live", "previous"):
        output = wikiswarm("models", "unalias", "pharma", name, code=1)
        assert "promote a version instead" in output.err
    assert registry.get("pharma").version == 1
