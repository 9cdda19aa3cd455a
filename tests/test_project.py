"""The project's own rules: exports, sizes, layers, what an import loads, what no code may do.

These tests read the source; what the source does is tested beside each package.
"""

import ast
import importlib
import itertools
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import pytest

from scripts import requirements
from swarm.errors import SwarmError

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("swarm", "wiki", "finetune", "declarative", "bindings")
SOURCE_FOLDERS = (*PACKAGES, "examples", "benchmarks", "scripts")
SOFT_CAP = 300
HARD_CAP = 400
LONGER_WITH_REASON: dict[str, str] = {
    "swarm/__init__.py": "nothing but the table of what the core exports",
}
"""Modules that are honestly one thing and longer than the hard cap, each with its reason."""

HEAVY = {
    "aiohttp",
    "chromadb",
    "cohere",
    "datasets",
    "litellm",
    "numpy",
    "openai",
    "opentelemetry",
    "peft",
    "sacrebleu",
    "sqlalchemy",
    "torch",
    "transformers",
    "trl",
    "xllamacpp",
}
BANNED_MODULES = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
BANNED_CALLS = {
    "eval",
    "exec",
    "os.popen",
    "os.system",
    "torch.load",
    "yaml.full_load",
    "yaml.load",
    "yaml.unsafe_load",
}
BANNED_ARGUMENTS = {"shell": True, "trust_remote_code": True, "weights_only": False}

# Written so that this file does not hold what it looks for.
_FOLDERS = "|".join(["work", "tmp", "root", "opt", "home/[a-z]+", "Users/[A-Za-z]+"])
MACHINE_PATH = re.compile(rf"(?<![\w.}}:/-])/(?:{_FOLDERS})/")
_HOSTS = ("pypi.org/" + "simple", "pythonhosted" + ".org", "registry." + "npmjs", "-mirror" + ".")
REGISTRY_HOST = re.compile("|".join(re.escape(host) for host in _HOSTS))


def _modules(*folders: str) -> list[Path]:
    return sorted(
        path.relative_to(ROOT)
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if "node_modules" not in path.parts
    )


def _public_modules() -> list[Path]:
    """Modules that a user may import: no part of their name starts with an underscore."""
    return [
        path
        for path in _modules(*PACKAGES)
        if not any(part.startswith("_") and part != "__init__.py" for part in path.parts)
    ]


def _tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


def _exports(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=value)
                | ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.expr() as value)
            ):
                return list(ast.literal_eval(value))
            case _:
                pass
    return None


def _bound_names(statements: list[ast.stmt], *, imported: bool) -> Iterator[str]:
    """Yield the names that a module's body binds, those it imports only if asked."""
    for node in statements:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Assign(value=value) if not _is_type_variable(value):
                for target in node.targets:
                    yield from (leaf.id for leaf in ast.walk(target) if isinstance(leaf, ast.Name))
            case ast.AnnAssign(target=ast.Name() as target):
                yield target.id
            case ast.Import() | ast.ImportFrom() if imported:
                yield from (alias.asname or alias.name for alias in node.names)
            case ast.If() | ast.Try():
                nested = [
                    child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)
                ]
                yield from _bound_names(nested, imported=imported)
            case _:
                pass


def _is_type_variable(value: ast.expr) -> bool:
    kinds = {"ParamSpec", "TypeVar", "TypeVarTuple"}
    return isinstance(value, ast.Call) and _dotted(value.func).split(".")[-1] in kinds


def _export_key(name: str) -> tuple[int, str]:
    """Order constants before classes before the rest, as ruff does."""
    rank = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return rank, name


def _export_problems(tree: ast.Module, *, is_package: bool) -> list[str]:
    exports = _exports(tree)
    if exports is None:
        return ["has no __all__"]
    own = {name for name in _bound_names(tree.body, imported=False) if not name.startswith("_")}
    every = set(_bound_names(tree.body, imported=True)) | own
    problems: list[str] = []
    if len(set(exports)) < len(exports):
        problems.append("names something twice in __all__")
    if exports != sorted(exports, key=_export_key):
        problems.append("does not sort its __all__")
    if unknown := sorted(set(exports) - every):
        problems.append(f"exports what it does not have: {', '.join(unknown)}")
    public = {name for name in every if not name.startswith("_")} if is_package else own
    if missing := sorted(public - set(exports)):
        problems.append(f"does not export {', '.join(missing)}")
    return problems


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return f"{_dotted(node.value)}.{node.attr}"
        case _:
            return ""


def _banned(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of everything that no code of the project may use."""
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                found = [name for alias in node.names if (name := alias.name) in BANNED_MODULES]
            case ast.ImportFrom(module=str(module)):
                names = (f"{module}.{alias.name}" for alias in node.names)
                found = [module] if module in BANNED_MODULES else BANNED_CALLS.intersection(names)
            case ast.Call():
                name = _dotted(node.func).removeprefix("builtins.")
                found = [name] if name in BANNED_CALLS else []
                found += [
                    f"{keyword.arg}={keyword.value.value}"
                    for keyword in node.keywords
                    if isinstance(keyword.value, ast.Constant)
                    and keyword.arg in BANNED_ARGUMENTS
                    and keyword.value.value is BANNED_ARGUMENTS[keyword.arg]
                ]
            case _:
                continue
        yield from ((node.lineno, name) for name in found)


def _project_files() -> list[Path]:
    """Return the files that are in version control, or would be at the next commit."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("needs a git checkout")
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def test_public_modules_export_what_they_define() -> None:
    problems = [
        f"{path}: {problem}"
        for path in _public_modules()
        for problem in _export_problems(_tree(path), is_package=path.name == "__init__.py")
    ]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def a(): ...", "has no __all__"),
        ("__all__ = ['b', 'a']\na = b = 1", "does not sort its __all__"),
        ("__all__ = ['a', 'a']\na = 1", "names something twice in __all__"),
        ("__all__ = ['a', 'b']\na = 1", "exports what it does not have: b"),
        ("__all__ = ['a']\na = 1\nclass B: ...", "does not export B"),
        ("__all__ = ['a']\na = 1\nif a:\n    c: int = 2", "does not export c"),
    ],
)
def test_a_wrong_export_list_is_found(source: str, expected: str) -> None:
    assert _export_problems(ast.parse(source), is_package=False) == [expected]


def test_modules_stay_small(note: Callable[[str], None]) -> None:
    lines = {
        str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines())
        for path in _modules(*SOURCE_FOLDERS)
    }
    for path, count in sorted(lines.items()):
        if SOFT_CAP < count <= HARD_CAP:
            note(f"{path}: {count} lines, above the aim of {SOFT_CAP}")
    too_long = {path for path, count in lines.items() if count > HARD_CAP}
    assert too_long <= set(LONGER_WITH_REASON), "\n".join(f"{p}: {lines[p]}" for p in too_long)


def test_packages_are_typed() -> None:
    missing = [name for name in PACKAGES if not (ROOT / name / "py.typed").is_file()]
    assert not missing


def test_importing_the_core_loads_no_heavy_library() -> None:
    program = f"import sys, swarm; print(*sorted(set(sys.modules) & {HEAVY!r}))"
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == ""


def test_imports_point_downwards() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_code_runs_what_it_reads() -> None:
    problems = [
        f"{path}:{line}: {name}"
        for path in _modules(*SOURCE_FOLDERS, "tests")
        for line, name in _banned(_tree(path))
    ]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("eval('1')", "eval"),
        ("import builtins\nbuiltins.exec('1')", "exec"),
        ("import pickle", "pickle"),
        ("from pickle import loads", "pickle"),
        ("from yaml import load", "yaml.load"),
        ("import yaml\nyaml.load('a', Loader=yaml.Loader)", "yaml.load"),
        ("import torch\ntorch.load('a')", "torch.load"),
        ("import subprocess\nsubprocess.run('ls', shell=True)", "shell=True"),
        ("Model.from_pretrained('a', trust_remote_code=True)", "trust_remote_code=True"),
    ],
)
def test_a_banned_call_is_found(source: str, expected: str) -> None:
    assert [name for _, name in _banned(ast.parse(source))] == [expected]


def test_what_only_looks_banned_is_allowed() -> None:
    source = "model.eval()\nyaml.safe_load('a')\nsubprocess.run(['ls'], shell=False)"
    assert list(_banned(ast.parse(source))) == []


def test_files_name_no_machine() -> None:
    problems: list[str] = []
    for path in _project_files():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, start=1):
            if found := MACHINE_PATH.search(line) or REGISTRY_HOST.search(line):
                problems.append(f"{path.relative_to(ROOT)}:{number}: {found.group()}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("folder", ["work", "tmp", "root", "home/me"])
def test_a_machine_path_is_found(folder: str) -> None:
    assert MACHINE_PATH.search(f"open('/{folder}/file')")
    assert MACHINE_PATH.search(f"/{folder}/file")
    assert not MACHINE_PATH.search(f"https://example.com/{folder}/file")
    assert not MACHINE_PATH.search(f"net/{folder}/file")


def test_requirement_ids_are_unique_and_ordered() -> None:
    for source in requirements.load_sources():
        ids = [item.id for item in source.requirements]
        if source.source in ("kit", "wire"):
            pattern = rf"{source.source}:([a-z]+):[a-z]+(-[a-z]+)*"
            areas = [re.fullmatch(pattern, id) for id in ids]
            assert None not in areas
            assert len(set(ids)) == len(ids)
            # Rows of one area stand together.
            blocks = [area for area, _ in itertools.groupby(m[1] for m in areas if m)]
            assert len(set(blocks)) == len(blocks)
            continue
        numbers = range(1, len(source.requirements) + 1)
        assert ids == [f"{source.source}-{number:02}" for number in numbers]


def test_every_mark_names_a_requirement() -> None:
    assert requirements.unknown_marks(requirements.load_sources(), requirements.find_marks()) == ()


def test_both_languages_test_the_wire_and_the_program_that_it_is_for() -> None:
    shared = {
        item.id
        for source in requirements.load_sources()
        for item in source.requirements
        if source.source == "wire" or "S4-09" <= item.id <= "S4-21"
    }
    assert len(shared) > 40
    marks = requirements.find_marks()
    for suffix in (".py", ".ts"):
        carried = {mark.id for mark in marks if mark.path.suffix == suffix}
        assert sorted(shared - carried) == [], suffix


def test_marks_are_read_from_python_and_typescript(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(
        "import pytest\n\n"
        "text = 'pytest.mark.requirement(\"S9-01\")'\n"
        "@pytest.mark.requirement('S4-01', 'S4-02')\n"
        "def test_a(): ...\n",
        encoding="utf-8",
    )
    (tmp_path / "a.test.ts").write_text('test(requirement("S4-03"), () => {});\n', encoding="utf-8")
    found = [(mark.id, mark.path.name, mark.line) for mark in requirements.find_marks([tmp_path])]
    assert found == [
        ("S4-03", "a.test.ts", 1),
        ("S4-01", "test_a.py", 4),
        ("S4-02", "test_a.py", 4),
    ]


def test_the_report_counts_what_no_test_carries() -> None:
    items = tuple(
        requirements.Requirement(id=f"S0-0{number}", kind="F", text=f"Promise {number}.")
        for number in (1, 2)
    )
    source = requirements.Source(source="S0", about="promises", requirements=items)
    marks = [
        requirements.Mark("S0-01", Path("a.py"), 1),
        requirements.Mark("S9-99", Path("a.py"), 2),
    ]
    assert list(requirements.report([source], marks)) == [
        "S0  promises: no test carries 1 of 2",
        "  S0-02  F  Promise 2.",
        "All: no test carries 1 of 2",
    ]
    assert requirements.unknown_marks([source], marks) == (marks[1],)


def test_home_gives_a_test_its_own_folders(home: Path, tmp_path: Path) -> None:
    assert Path.cwd() == tmp_path
    assert home.parent == tmp_path
    assert os.environ["WIKISWARM_HOME"] == str(home)


@pytest.mark.anyio
async def test_tests_have_no_network() -> None:
    with socket.socket() as connection, pytest.raises(RuntimeError, match="no network"):
        connection.connect(("192.0.2.1", 80))
    with pytest.raises(RuntimeError, match="no network"):
        await anyio.connect_tcp("example.com", 80)


@pytest.mark.anyio
async def test_tests_reach_this_machine() -> None:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with await anyio.connect_tcp("localhost", port):
            pass


@pytest.mark.parametrize(
    "path", [p for p in _modules(*PACKAGES) if p.name == "__init__.py"], ids=str
)
def test_no_module_takes_the_name_of_something_that_its_package_exports(path: Path) -> None:
    # Importing `a.b` puts the module in place of what `a` calls `b`.
    beside = {p.stem for p in (ROOT / path).parent.iterdir() if p.suffix == ".py" or p.is_dir()}
    package = ".".join(path.parent.parts)
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                name = alias.asname or alias.name
                own = node.module in (package, f"{package}.{name}")
                assert own or name not in beside, f"{package}.{name} is a module, too"


def test_every_error_class_has_codes_of_its_own() -> None:
    """Other languages tell errors apart by their codes."""
    heard = ("bindings.cli", "declarative", "finetune", "finetune.train.hosted")
    for module in (*heard, "wiki.engine", "wiki.providers"):
        importlib.import_module(module)
    classes: list[type[SwarmError]] = [SwarmError]
    for known in classes:
        classes += known.__subclasses__()
    own = [c for c in classes if "code" in vars(c) and not c.__module__.startswith("tests")]
    assert len(own) > 20
    for field in ("code", "rpc_code"):
        taken: dict[object, str] = {}
        for error in own:
            value = getattr(error, field)
            other = taken.setdefault(value, error.__qualname__)
            assert other == error.__qualname__, f"{field} {value} is taken by {other}"
