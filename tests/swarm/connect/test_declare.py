"""Pipelines in a YAML document, and what the package shows to the outside."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import swarm
import swarm.connect
from declarative import check, load
from declarative.describe.schema import document_schema
from swarm import Catalog, Host, session, start_pipeline
from swarm.connect import PIPELINES
from swarm.errors import SwarmError

pytestmark = pytest.mark.anyio

DOCUMENT = """\
completions: {model: {model: offline}}
pipelines:
  restock:
    execute: "orders:restock"
    callbacks: {on_end: "orders:look"}
    doc_description: Orders what is missing.
agents: {seller: {completion: model}, nurse: {completion: model}}
swarms: {shop: {agent_list: [seller, nurse], default_agent: seller}}
"""
MODULE = '''\
"""What the document names."""

seen = []


async def restock(client_id, agent_name, payload):
    return [agent_name, payload]


def look(*values):
    seen.append(values)
'''


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """A document with its module beside it."""
    (tmp_path / "orders.py").write_text(MODULE, encoding="utf-8")
    path = tmp_path / "shop.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return path


async def test_a_pipeline_of_a_document_runs(document: Path, tmp_path: Path) -> None:
    catalog = load(document, catalog=Catalog(), environment={})
    host = Host(catalog=catalog, home=tmp_path / "home", environment={})
    async with host, session("client", "shop", host=host):
        assert await start_pipeline("client", "restock", "nurse", 4) == ["nurse", 4]
    spec = catalog.registry(PIPELINES).get("restock")
    assert spec.callbacks is not None
    assert spec.callbacks.on_end is not None
    seen: Any = spec.callbacks.on_end.__globals__["seen"]
    assert seen == [("client", "restock", "nurse", 4, False)]


def test_the_document_fits_its_schema_and_a_wrong_one_does_not(document: Path) -> None:
    schema = document_schema()
    jsonschema.validate(yaml.safe_load(DOCUMENT), schema)
    assert check(document, environment={}).problems == ()
    wrong = DOCUMENT.replace("execute:", "excute:")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(wrong), schema)
    document.write_text(wrong, encoding="utf-8")
    places = [problem.where for problem in check(document, environment={}).problems]
    assert "pipelines.restock.excute" in places


def test_the_verbs_are_found_in_swarm() -> None:
    shown = [name for name in swarm.connect.__all__ if name in swarm.__all__]
    assert {"Chat", "complete", "fork", "make_connection", "start_pipeline"} <= set(shown)
    for name in shown:
        assert getattr(swarm, name) is getattr(swarm.connect, name)


def test_the_errors_have_codes_of_their_own() -> None:
    classes = [getattr(swarm.connect, name) for name in swarm.connect.__all__]
    errors = [c for c in classes if isinstance(c, type) and issubclass(c, SwarmError)]
    assert sorted(error.rpc_code for error in errors) == [-32066, -32065, -32064, -32063]
