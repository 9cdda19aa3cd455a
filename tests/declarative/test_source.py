"""Functions that a document names: where their modules may be, and how they are loaded."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from declarative import check, load
from declarative.modules import public_name
from swarm import Catalog
from swarm.reference import parse_reference
from wiki.spec import WIKIS

TOOL = 'tools: {{one: {{call: "{call}"}}}}\n'


def called(path: Path, **options: tuple[str, ...]) -> object:
    tool = load(path, catalog=Catalog(), environment={}, **options).tools.get("one")
    assert tool.call is not None
    return tool.call()


def problem(path: Path) -> str:
    (found,) = check(path, environment={}).problems
    assert (found.line, found.column) == (1, 21)
    return f"{found.message} ({found.hint})" if found.hint else found.message


def test_two_projects_may_use_the_same_module_name(tmp_path: Path) -> None:
    before = set(sys.modules)
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "tools.py").write_text(f"def one() -> str: return {name!r}\n", encoding="utf-8")
        (folder / "shop.yaml").write_text(TOOL.format(call="tools:one"), encoding="utf-8")
    results = [called(tmp_path / name / "shop.yaml") for name in ("a", "b", "a")]
    assert results == ["a", "b", "a"]
    added = set(sys.modules) - before
    # A package and a module each; what reads files may bring codecs of its own.
    assert len([name for name in added if name.startswith("_wikiswarm_")]) == 4
    assert "tools" not in added


@pytest.mark.parametrize("statement", ["from . import data", "import data", "import deep.data"])
def test_modules_of_a_project_share_one_copy(write: Callable[..., Path], statement: str) -> None:
    name = statement.rpartition(" ")[2]
    text = "seen = []\ndef two() -> list: return seen\n"
    path = write(
        shop_yaml=f"tools:\n  one: {{call: 'tools:one'}}\n  two: {{call: '{name}:two'}}\n",
        tools_py=f"{statement}\ndef one() -> list:\n    {name}.seen.append(1)\n    return []\n",
        data_py=text,
        deep__data_py=text,
    )
    catalog = load(path, catalog=Catalog(), environment={})
    one, two = (catalog.tools.get(name).call for name in ("one", "two"))
    assert one is not None
    assert two is not None
    one()
    assert two() == [1]
    assert not {"tools", "data", "deep", "deep.data"} & set(sys.modules)


def test_an_installed_module_is_not_hidden_by_a_file(write: Callable[..., Path]) -> None:
    path = write(
        shop_yaml=TOOL.format(call="tools:one"),
        tools_py="import json\ndef one() -> str: return json.dumps([1])\n",
        json_py="raise RuntimeError('the wrong json')\n",
    )
    assert called(path) == "[1]"


def test_a_changed_module_is_loaded_again(write: Callable[..., Path]) -> None:
    path = write(
        shop_yaml=TOOL.format(call="tools:one"),
        tools_py="import data\ndef one() -> int: return data.number\n",
        data_py="number = 1\n",
    )
    assert called(path) == 1
    write(data_py="number = 1_000\n")
    assert called(path) == 1000
    write(tools_py="one = 3\n# not a function any more\n")
    assert problem(path) == "'tools:one' is int, not a function"


def test_packages_and_subfolders(write: Callable[..., Path]) -> None:
    path = write(
        shop_yaml="include: parts/more.yaml\n",
        parts__more_yaml=(
            "tools: {one: {call: 'near:f'}, two: {call: 'far:f'}, three: {call: 'pack.sub:f'}}"
        ),
        parts__near_py="def f() -> str: return 'near'\n",
        far_py="def f() -> str: return 'far'\n",
        near_py="def f() -> str: return 'wrong'\n",
        pack____init_____py="",
    )
    sub = path.parent / "pack"
    sub.mkdir(exist_ok=True)
    (sub / "__init__.py").write_text("word = 'pack'\n", encoding="utf-8")
    text = "from . import word\ndef f() -> str: return word\n"
    (sub / "sub.py").write_text(text, encoding="utf-8")
    catalog = load(path, catalog=Catalog(), environment={})
    results: list[object] = []
    for tool in catalog.tools:
        assert tool.call is not None
        results.append(tool.call())
    assert results == ["near", "far", "pack"]


def test_installed_modules_are_allowed_by_name(write: Callable[..., Path]) -> None:
    path = write(shop_yaml=TOOL.format(call="platform:python_version"))
    assert problem(path) == (
        "no module 'platform' under the folder of the document "
        "(installed modules must be allowed by the program that loads the document)"
    )
    assert called(path, allow_modules=("platform",)) == sys.version.split(" ")[0]
    write(shop_yaml=TOOL.format(call="os.path:exists"))
    assert not check(path, environment={}, allow_modules=("platfor",)).counts["agents"]
    assert check(path, environment={}, allow_modules=("platfor", "o")).problems


def test_a_link_out_of_the_folder_is_refused(write: Callable[..., Path], tmp_path: Path) -> None:
    outside = tmp_path.parent / "outside.py"
    outside.write_text("def one() -> int: return 1\n", encoding="utf-8")
    path = write(shop_yaml=TOOL.format(call="tools:one"))
    (tmp_path / "tools.py").symlink_to(outside)
    assert problem(path).startswith("no module 'tools' under the folder")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1\n1 / 0\n", "ZeroDivisionError in tools.py, line 2: division by zero"),
        ("x = (\n", "SyntaxError in tools.py, line 1: '(' was never closed (tools.py, line 1)"),
        ("import sys\nsys.exit(3)", "SystemExit in tools.py, line 2: 3"),
        (
            "import nothing_here",
            "ModuleNotFoundError in tools.py, line 1: No module named 'nothing_here'",
        ),
        ("def f():\n    raise ValueError\nf()\n", "ValueError in tools.py, line 2"),
        ("import other", "KeyError in tools.py, line 1: 'x'"),
    ],
)
def test_what_a_module_raises_is_a_problem(
    write: Callable[..., Path], source: str, expected: str
) -> None:
    path = write(shop_yaml=TOOL.format(call="tools:one"), tools_py=source, other_py="{}['x']\n")
    assert problem(path) == f"module 'tools' raised {expected}"
    write(tools_py="def one() -> int: return 1\n")
    assert called(path) == 1


@pytest.mark.parametrize("count", [2, 30])
def test_the_problems_of_a_file_that_a_module_reads_are_told(
    write: Callable[..., Path], count: int
) -> None:
    path = write(
        shop_yaml=TOOL.format(call="tools:one"),
        tools_py="""\
        from pathlib import Path
        from finetune.lookup import Lookup
        one = Lookup.read(Path(__file__).with_name("facts.yaml"))
        """,
    )
    fact = "- id: f{0}\n  answer: yes it is\n  phrasings: [question {0}]\n"
    path.with_name("facts.yaml").write_text("".join(map(fact.format, range(count))), "utf-8")
    told = problem(path)
    assert told.startswith("module 'tools' raised QuestionsError in tools.py, line 3: ")
    for place in ("facts.yaml:1: f0: train is missing", "facts.yaml:3", "facts.yaml:4: f1"):
        assert place in told
    assert "phrasings" in told and "\n" not in told
    assert told.endswith("more") == (count > 10) and len(told) < 3000


@pytest.mark.requirement("S4-11", "S4-12")
def test_every_callback_of_a_spec_may_be_named(write: Callable[..., Path]) -> None:
    path = write(
        shop_yaml="""\
        completions:
          mine: {get_completion: "tools:answer"}
          other: {model: "python:tools:answer", fallback: ["python:tools:answer", offline]}
        wikis:
          facts: {get_chat: "tools:chat", fallback: "python:tools:answer"}
        agents:
          seller: {completion: mine, prompt: "tools:answer", system_dynamic: "tools:lines"}
        """,
        tools_py=dedent(
            """\
            def answer(request): return "an answer"
            def chat(message): return "a fact"
            def lines(client_id, agent_name): return []
            """
        ),
    )
    catalog = load(path, catalog=Catalog(), environment={})
    mine, other = catalog.completions
    facts = catalog.registry(WIKIS).get("facts")
    agent = catalog.agents.get("seller")
    assert mine.get_completion is not None
    assert mine.get_completion(None) == "an answer"
    assert facts.get_chat is not None
    assert facts.get_chat("") == "a fact"
    assert agent.prompt == "tools:answer"
    assert agent.system_dynamic is not None
    assert agent.system_dynamic("", "") == []
    references = [other.model, other.fallbacks[0], facts.fallback]
    for text in references:
        assert text is not None
        assert public_name(text) == "python:tools:answer"
        # Whoever resolves the reference gets the very function that the callbacks got.
        module, _, function = parse_reference(text).name.partition(":")
        assert getattr(importlib.import_module(module), function) is mine.get_completion
    assert other.fallbacks[1] == "offline"
