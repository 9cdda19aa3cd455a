"""`include`: several files as one document, which none of them can leave."""

from collections.abc import Callable
from pathlib import Path

import pytest

from declarative import check, load
from swarm import Catalog

AGENT = "agents: {seller: {completion: small}}\n"
SWARM = "swarms: {shop: {agent_list: [seller], default_agent: seller}}\n"
MODEL = "completions: {small: {model: offline}}\n"


def problems(path: Path) -> list[str]:
    found = check(path, environment={"PART": "parts/agents.yaml"}).problems
    return [str(problem).replace(f"{path.parent}/", "") for problem in found]


def test_files_make_one_document(write: Callable[..., Path]) -> None:
    path = write(
        shop_yaml=f"include: ['${{PART}}', models.yaml]\n{SWARM}",
        parts__agents_yaml=f"include: ../models.yaml\n{AGENT}",
        models_yaml=MODEL,
    )
    assert problems(path) == []
    catalog = load(path, catalog=Catalog(), environment={"PART": "parts/agents.yaml"})
    assert catalog.agents.names == ["seller"]
    assert catalog.completions.names == ["small"]


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        ("3", "1:10: include: must be the path of a YAML file"),
        ("[models.yaml, {}]", "1:24: include[1]: must be the path of a YAML file"),
        ("'a\\0b'", "1:10: include: no file 'a\\\\0b'"),
        ('"a\\0b"', "1:10: include: must be the path of a YAML file"),
        (
            "../other.yaml",
            "1:10: include: '../other.yaml' leaves the folder (an included file stays under the "
            "folder of the root document)",
        ),
        ("/etc/passwd", "1:10: include: '/etc/passwd' leaves the folder"),
        ("link.yaml", "1:10: include: 'link.yaml' leaves the folder"),
        ("[model.yaml]", "1:11: include[0]: no file 'model.yaml' (did you mean 'models.yaml'?)"),
        ("parts", "1:10: include: no file 'parts'"),
        ("shop.yaml", "1:10: include: the includes form a cycle: shop.yaml -> shop.yaml"),
    ],
)
def test_a_wrong_include_has_its_place(
    write: Callable[..., Path], tmp_path: Path, include: str, expected: str
) -> None:
    (tmp_path.parent / "other.yaml").write_text(MODEL, encoding="utf-8")
    path = write(
        shop_yaml=f"include: {include}\n", models_yaml=MODEL, parts__agents_yaml="agents: {}\n"
    )
    (tmp_path / "link.yaml").symlink_to(tmp_path.parent / "other.yaml")
    assert len(problems(path)) == 1
    assert problems(path)[0].startswith(f"shop.yaml:{expected}")


def test_a_cycle_over_several_files_is_named(write: Callable[..., Path]) -> None:
    path = write(
        shop_yaml="include: a.yaml\n",
        a_yaml="completions: {}\ninclude: [parts/b.yaml]\n",
        parts__b_yaml="include: ../a.yaml\n",
    )
    assert problems(path) == [
        "parts/b.yaml:1:10: include: the includes form a cycle: a.yaml -> parts/b.yaml -> a.yaml"
    ]


def test_a_name_in_two_files_names_both_places(write: Callable[..., Path]) -> None:
    path = write(shop_yaml=f"include: [models.yaml]\n{MODEL}", models_yaml=f"\n{MODEL}")
    assert problems(path) == [
        "models.yaml:2:15: completions.small: completion 'small' is declared twice "
        "(first in shop.yaml:2)"
    ]


def test_problems_name_the_file_they_are_in(write: Callable[..., Path]) -> None:
    path = write(
        shop_yaml=f"include: [models.yaml, agents.yaml]\nswarm: {{}}\n{SWARM}",
        models_yaml="completions:\n  small: {modl: offline}\n",
        agents_yaml="agents: {seller: {completion: smallx, tools: [x]}}\n",
    )
    assert problems(path) == [
        "shop.yaml:2:1: swarm: unknown section 'swarm' (did you mean 'swarms'?)",
        "models.yaml:2:11: completions.small.modl: unknown field 'modl' (did you mean 'model'?)",
        "agents.yaml:1:31: agents.seller.completion: no completion named 'smallx' "
        "(no completion is declared)",
        "agents.yaml:1:47: agents.seller.tools[0]: no tool named 'x' (no tool is declared)",
    ]


def test_what_a_broken_file_declares_is_not_missed(write: Callable[..., Path]) -> None:
    path = write(shop_yaml=f"include: models.yaml\n{AGENT}", models_yaml="completions: {")
    found = problems(path)
    assert len(found) == 1
    assert found[0].startswith("models.yaml:")


def test_names_with_dots_and_digits_have_their_places(write: Callable[..., Path]) -> None:
    path = write(
        shop_yaml="completions:\n  a.b: {model: 1}\n  a: {c: {model: 2}}\n  404: {seed: x}\n"
    )
    assert [line.split(": ")[:2] for line in problems(path)] == [
        ["shop.yaml:2:16", "completions.a.b.model"],
        ["shop.yaml:3:7", "completions.a.c"],
        ["shop.yaml:4:15", "completions.404.seed"],
    ]
