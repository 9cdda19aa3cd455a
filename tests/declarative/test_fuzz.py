"""Whatever a file holds, it loads or has problems, and every problem has its place."""

from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from declarative import check, load
from declarative.kinds import SECTIONS
from swarm import Catalog

TOOLS = "def stock(sku: str) -> int: return 3\ndef untyped(sku): return 3\nNUMBER = 3\n"

_words = st.sampled_from(
    ["include", "small", "seller", "type", "name", "a.b", "${X}", "x y", "<<", "", "0", *SECTIONS]
)
_leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["offline", "small", "seller", "stock", "tools:stock", "python:tools:stock"])
    | st.sampled_from(["${X}", "$${", "${X:-y}", "shop.yaml", "../a.yaml", "\0", "a.ts#b"])
)
_trees = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_words, inner, max_size=5),
    max_leaves=25,
)
_fields = {
    section: st.dictionaries(
        st.sampled_from(list(kind.spec.model_fields)) | _words, _trees, max_size=5
    )
    for section, kind in SECTIONS.items()
}
_documents = _trees | st.fixed_dictionaries(
    {},
    optional={
        section: st.dictionaries(_words, fields | _trees, max_size=3)
        for section, fields in _fields.items()
    },
)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=_documents)
def test_any_document_loads_or_has_problems(tmp_path: Path, data: object) -> None:
    (tmp_path / "tools.py").write_text(TOOLS, encoding="utf-8")
    path = tmp_path / "shop.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    report = check(path, environment={"X": "1"})
    for problem in report.problems:
        assert problem.file == str(path)
        assert problem.line is not None
        assert problem.column is not None
    if not report.problems:
        load(path, catalog=Catalog(), environment={"X": "1"})


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(max_size=200) | st.text("ab:-[]{}&*!|>'\"#%@,? \n\t<$", max_size=80))
def test_any_bytes_load_or_have_problems(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "shop.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    check(path, environment={})
