"""Declarations of outlines and advisors in Python and in YAML, and what is wrong with them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import BaseModel, RootModel

from declarative import check, load
from declarative.describe.schema import document_schema
from swarm import (
    Catalog,
    Host,
    add_agent,
    add_completion,
    add_outline,
    ask,
    get_outline,
    json,
    override_outline,
    use_catalog,
    validate,
)
from swarm.advisor import ADVISORS
from swarm.errors import DuplicateNameError, UnknownNameError, ValidationError
from swarm.outline import OUTLINES
from tests.swarm.outline.program import ORDER

DOCUMENT = """\
completions:
  writer: {get_completion: "shop:write", json_mode: true, flags: /no_think}
  talker: {get_completion: "shop:talk", json_mode: false}
outlines:
  order:
    completion: writer
    format:
      type: object
      properties: {sku: {type: string}, boxes: {type: integer}}
      required: [sku, boxes]
    prompt: "python:shop:prompt"
    system: [Be exact.]
    get_outline_history: "shop:history"
    validations: ["shop:in_stock"]
    max_attempts: 3
    timeout: 10
    callbacks: {on_attempt: "shop:look"}
    doc_description: An order.
advisors:
  expert:
    get_chat: "shop:advise"
    callbacks: {on_chat: "shop:look"}
  doctor: {completion: talker, system: Be kind., doc_description: Knows medicine.}
agents:
  seller: {completion: talker}
swarms:
  shop: {agent_list: [seller], default_agent: seller}
"""
MODULE = '''\
"""What the document names."""

seen = []


def write(request):
    seen.append(request.messages)
    return '{"sku": "A1", "boxes": %d}' % (9 if len(request.messages) == 2 else 2)


def talk(request):
    return "Take " + request.messages[-1].content


def prompt(outline_name):
    return f"Fill in {outline_name}."


def history(context):
    return [f"An order of {context.params[0]}"]


def in_stock(data):
    return "there are 3 boxes" if data["boxes"] > 3 else None


def look(value):
    seen.append(value)


def advise(message):
    return f"{message['about']}: no idea"
'''


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """The document, with its module beside it."""
    (tmp_path / "shop.py").write_text(MODULE, encoding="utf-8")
    path = tmp_path / "shop.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return path


@pytest.mark.anyio
async def test_a_document_declares_outlines_and_advisors_that_work(
    document: Path, tmp_path: Path
) -> None:
    catalog = load(document, catalog=Catalog(), environment={})
    async with Host(catalog=catalog, home=tmp_path / "home", environment={}) as host:
        result = await json("order", "two boxes", host=host)
        assert await ask({"about": "aspirin"}, "expert", host=host) == "aspirin: no idea"
        assert await ask("aspirin", "doctor", host=host) == "Take aspirin"
    assert (result.data, result.attempt) == ({"sku": "A1", "boxes": 2}, 2)
    system, user, *_ = result.history
    assert system.content.startswith("Fill in order.\n\nBe exact.\n\n")
    assert "/no_think" not in system.content  # the completion says that, each time
    assert user.content == "An order of two boxes"
    assert "there are 3 boxes" in result.history[3].content
    assert catalog.registry(OUTLINES).get("order").doc_description == "An order."
    assert catalog.registry(ADVISORS).get("doctor").system == ("Be kind.",)


def test_the_schema_of_documents_knows_both_sections(document: Path) -> None:
    schema = document_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    whole = yaml.safe_load(document.read_text(encoding="utf-8"))
    jsonschema.validate(whole, schema)
    whole["outlines"]["order"]["format"] = "Order"
    whole["advisors"]["expert"]["get_chat"] = 7
    validator: Any = jsonschema.Draft202012Validator(schema)  # its stubs leave types open
    errors = validator.iter_errors(whole)
    assert {tuple(error.absolute_path)[:2] for error in errors} == {
        ("outlines", "order"),
        ("advisors", "expert"),
    }


@pytest.mark.parametrize(
    ("old", "new", "where", "message"),
    [
        (
            "completion: writer",
            "completion: talker",
            "outlines.order.completion",
            "agents only",
        ),
        ("completion: writer", "completion: writr", "outlines.order.completion", "no completion"),
        (
            "seller: {completion: talker}",
            "seller: {completion: writer}",
            "agents.seller.completion",
            "for outlines only",
        ),
        (
            "doctor: {completion: talker",
            "doctor: {completion: writer",
            "advisors.doctor",
            "outlines",
        ),
        (
            "doctor: {completion: talker",
            "doctor: {completion: x",
            "advisors.doctor",
            "no completion",
        ),
        ("completion: talker, system", "model: x/y, system", "advisors.doctor.model", "provider"),
        ("{type: string}", "{type: txt}", "outlines.order.format.properties.sku", "JSON Schema"),
        ("{type: string}", "{$ref: '#/x'}", "outlines.order.format.properties.sku.$ref", "nothing"),
        ("type: object", "type: array", "outlines.order.format", "not of type 'array'"),
        ("python:shop:prompt", "python:shop:promt", "outlines.order.prompt", "promt"),
        ("shop:in_stock", "shop:in_stok", "outlines.order.validations[0]", "in_stok"),
        ("max_attempts: 3", "max_attempts: 0", "outlines.order.max_attempts", "greater"),
        ("max_attempts: 3", "attempts: 3", "outlines.order.attempts", "unknown field"),
    ],
)
def test_a_problem_says_where_it_is(
    document: Path, old: str, new: str, where: str, message: str
) -> None:
    document.write_text(DOCUMENT.replace(old, new), encoding="utf-8")
    (problem,) = check(document, environment={}).problems
    assert problem.where.startswith(where)
    assert message in problem.message
    assert problem.line is not None


def test_names_are_declared_once_read_back_and_overridden() -> None:
    with use_catalog(Catalog()):
        add_completion(completion_name="model", model="offline")
        assert add_outline(outline_name="order", completion="model", format=ORDER) == "order"
        with pytest.raises(DuplicateNameError):
            add_outline(outline_name="order", completion="model", format=ORDER)
        with override_outline("order", max_attempts=1) as changed:
            assert get_outline("order") is changed
            assert (changed.max_attempts, changed.format) == (1, ORDER)
        assert get_outline("order").max_attempts == 5
        with pytest.raises(UnknownNameError, match="did you mean 'order'"):
            get_outline("ordr")
        validate()


class Rows(RootModel[list[int]]):
    """No JSON object."""


class Odd(BaseModel):
    """Nothing that a model could be told."""

    call: Callable[[], int]


@pytest.mark.parametrize(
    ("format", "reason"),
    [
        (Rows, "not of type 'array'"),
        (Odd, "Odd has no JSON Schema"),
        ({"type": "json_schema", "json_schema": {"schema": {"type": 7}}}, "not of type 7"),
        ({"type": "json_schema"}, "`json_schema` must be a mapping"),
        ({"type": "json_schema", "json_schema": {"schema": 1}}, "`json_schema.schema` must be"),
    ],
)
def test_a_format_that_is_no_object_is_refused(format: Any, reason: str) -> None:
    with use_catalog(Catalog()):
        add_completion(completion_name="model", model="offline")
        with pytest.raises(ValidationError, match=reason) as caught:
            add_outline(outline_name="order", completion="model", format=format)
            validate()
    assert caught.value.problems[0].where == "outlines.order.format"


@pytest.mark.requirement("kit:outline:json-mode")
def test_an_agent_may_not_use_a_completion_for_outlines() -> None:
    with use_catalog(Catalog()):
        add_completion(completion_name="model", model="offline", json_mode=True)
        add_agent(agent_name="seller", completion="model")
        with pytest.raises(ValidationError, match=r"agents\.seller\.completion: .* outlines only"):
            validate()
