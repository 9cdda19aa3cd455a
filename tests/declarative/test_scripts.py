"""Functions of other languages in a document: what is found, and what is refused, without Node."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bindings.node import NodeFunction
from declarative import check, load
from declarative.scripts import SourceError, add_script_source, script_source
from swarm import Catalog

Write = Callable[..., Path]
TOOL = "tools:\n  one: {{call: '{}'}}\n"


@pytest.fixture
def problems(write: Write) -> Callable[[str], list[str]]:
    """Say what is wrong with a document beside `discount.ts`."""

    def find(text: str) -> list[str]:
        write(discount_ts="export const discount = () => 1;\n")
        path = write(swarm_yaml=text)
        found = check(path, environment={}).problems
        return [str(one).removeprefix(f"{path}:") for one in found]

    return find


@pytest.mark.requirement("wire:file:bound")
@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("discount.ts#discount", []),
        ("./discount.ts#default", []),
        ("discont.ts#discount", ["no file 'discont.ts' under the folder of the document",
                                 "did you mean 'discount.ts'?"]),
        ("other/discount.ts#discount", ["no file 'other/discount.ts'", "write file.ts#export"]),
        ("../discount.ts#discount", ["'../discount.ts' leads out of the folder of the document"]),
        ("/discount.ts#discount", ["'/discount.ts' is not a path from the folder"]),
        ("discount.ts", ["'discount.ts' does not read file.ts#export"]),
        ("discount.ts#", ["does not read file.ts#export"]),
        ("#discount.ts#", ["does not read file.ts#export"]),
        ("discount.ts#a b", ["does not read file.ts#export"]),
        ("discount.ts#a.b", ["does not read file.ts#export"]),
        ("discount.jsx#a", ["no file 'discount.jsx'"]),
        (f"{'x' * 5000}.ts#a", ["no file 'xxx"]),
        ("discount.ts:discount", ["no module 'discount.ts' under the folder"]),
    ],
)  # fmt: skip
def test_a_file_is_found_or_refused_with_its_place(
    problems: Callable[[str], list[str]], named: str, said: Sequence[str]
) -> None:
    found = problems(TOOL.format(named))
    assert bool(found) == bool(said)
    for part in said:
        assert found[0].startswith("2:15: tools.one.call: ")
        assert part in found[0]


def test_a_link_that_leads_out_of_the_folder_is_refused(
    problems: Callable[[str], list[str]], tmp_path: Path
) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside.ts"
    outside.write_text("export const x = () => 1;\n", encoding="utf-8")
    (tmp_path / "link.ts").symlink_to(outside)
    assert "'link.ts' leads out of the folder" in problems(TOOL.format("link.ts#x"))[0]


def test_a_document_in_a_folder_below_names_files_beside_it_and_in_the_root(write: Write) -> None:
    write(discount_ts="", below__own_ts="")
    write(below__more_yaml="tools: {a: {call: own.ts#a}, b: {call: discount.ts#b}}")
    path = write(swarm_yaml="include: [below/more.yaml]")
    catalog = load(path, catalog=Catalog(), environment={})
    found = [catalog.tools.get(name).call for name in ("a", "b")]
    assert all(isinstance(one, NodeFunction) for one in found)
    files = [one.script.file.name for one in found if isinstance(one, NodeFunction)]
    assert files == ["own.ts", "discount.ts"]


def test_vectors_are_not_compared_in_another_process(problems: Callable[[str], list[str]]) -> None:
    text = "embeddings:\n  e: {create: 'discount.ts#a', get_similarity: 'discount.ts#b'}\n"
    said = "embeddings.e.get_similarity: vectors are compared inside the core"
    assert [one for one in problems(text) if said in one and "use `similarity`" in one]


def test_a_prompt_is_text_unless_it_says_node(problems: Callable[[str], list[str]]) -> None:
    agent = (
        "completions: {{m: {{model: offline}}}}\nagents:\n  a: {{completion: m, prompt: '{}'}}\n"
    )
    assert problems(agent.format("see discount.ts#discount")) == []
    assert problems(agent.format("node:discount.ts#prompt")) == []
    found = problems(agent.format("node:tools:prompt"))
    assert "3:30: agents.a.prompt: 'tools:prompt' does not read file.ts#export" in found[0]


@pytest.mark.parametrize("extra", ["", ", function: {name: one}", ", description: d"])
def test_a_tool_without_a_schema_takes_what_the_model_gives(write: Write, extra: str) -> None:
    write(discount_ts="")
    path = write(swarm_yaml=f"tools: {{one: {{call: discount.ts#a, timeout: 3{extra}}}}}")
    tool = load(path, catalog=Catalog(), environment={}).tools.get("one")
    assert tool.parameters == {"type": "object", "properties": {}}
    assert isinstance(tool.call, NodeFunction)
    assert (tool.call.script.field, tool.call.script.timeout) == ("call", 3.0)


def test_a_schema_of_the_document_stays(write: Write) -> None:
    write(discount_ts="")
    shape = "{type: object, properties: {a: {type: string}}, required: [a]}"
    path = write(
        swarm_yaml="tools: {one: {call: discount.ts#a, function: {name: one, parameters: "
        f"{shape}}}}}}}"
    )
    tool = load(path, catalog=Catalog(), environment={}).tools.get("one")
    assert tool.parameters is not None
    assert tool.parameters["required"] == ["a"]


def test_another_language_can_be_added() -> None:
    with pytest.raises(SourceError, match=r"functions in \.rb files are not known here"):
        script_source(".rb")
    add_script_source([".rb1"], lambda script: lambda: script.export)
    assert callable(script_source(".rb1"))
