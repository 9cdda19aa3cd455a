"""Declarations of memory, in Python and in YAML, and what is wrong with them."""

from pathlib import Path
from typing import Any

import anyio
import jsonschema
import pytest
import yaml

import declarative
import swarm
from declarative import check, load
from declarative.describe.schema import document_schema
from swarm import Catalog, add_agent, add_completion, session, use_catalog, validate
from swarm.errors import DuplicateNameError, UnknownNameError, ValidationError
from swarm.memory import (
    COMPUTES,
    EMBEDDINGS,
    STATES,
    STORAGES,
    State,
    Storage,
    add_compute,
    add_embedding,
    add_state,
    add_storage,
)

DOCUMENT = """\
completions: {offline: {model: offline}}
states:
  cart:
    default: {items: []}
    middlewares: ["memory:count"]
    callbacks: {on_write: "memory:look"}
  rate: {get_default: "memory:rate", shared: true, persist: false}
  kept: {get_state: "memory:rate", set_state: "memory:look", callbacks: {on_load: "memory:look"}}
embeddings:
  own:
    {create: "memory:embed", batch_size: 8, similarity: dot, callbacks: {on_create: "memory:look"}}
  far: {model: openai/some-embed, api_key_env: EMBED_KEY, extra_body: {dimensions: 64}}
storages:
  goods:
    embedding: own
    index: "memory:index"
    default: [{id: 1, text: aspirin}, {id: two, text: cough syrup}]
    callbacks: {on_search: "memory:look"}
  shelf: {get_data: "memory:rate", set_data: "memory:look", vectors: chroma}
computes:
  total: {get: "memory:total", depends_on: [cart, rate], ttl: 60}
agents:
  seller: {completion: offline, states: [cart, rate], storages: [goods]}
swarms:
  shop: {agent_list: [seller], default_agent: seller}
"""
MODULE = '''\
"""What the document names."""

seen = []


def count(value, client_id, state_name):
    return {**value, "count": len(value["items"])}


def look(*values):
    seen.append(values)


def rate(client_id, state_name):
    return 7


def embed(texts):
    return [[float("aspirin" in text), float("cough" in text)] for text in texts]


def index(item):
    return {"text": item["text"]}


def total(client_id, compute_name):
    return 1
'''
NAMES: dict[str, Any] = {"client_id": "client", "agent_name": "seller"}


def _write(folder: Path, document: str) -> Path:
    (folder / "memory.py").write_text(MODULE, encoding="utf-8")
    path = folder / "shop.yaml"
    path.write_text(document, encoding="utf-8")
    return path


def test_a_document_declares_memory_that_works(tmp_path: Path) -> None:
    catalog = load(_write(tmp_path, DOCUMENT), catalog=Catalog(), environment={})

    async def use() -> None:
        from swarm import Host

        host = Host(catalog=catalog, home=tmp_path / "home", environment={})
        async with host, session("client", "shop", host=host):
            cart = await State.set("cart", {"items": ["tea"]}, **NAMES)
            assert cart == {"items": ["tea"], "count": 1}
            assert await State.get("rate", **NAMES) == 7
            found = await Storage.take("goods", "cough", total=1, **NAMES)
            assert found == [{"id": "two", "text": "cough syrup"}]

    anyio.run(use)
    callbacks = catalog.registry(STATES).get("cart").callbacks
    assert callbacks is not None
    assert callbacks.on_write is not None
    seen: list[Any] = callbacks.on_write.__globals__["seen"]
    assert [len(values) for values in seen] == [3, 3, 3, 4]


def test_python_and_yaml_give_the_same(tmp_path: Path) -> None:
    from_yaml = load(_write(tmp_path, DOCUMENT), catalog=Catalog(), environment={})
    cart, rate = (from_yaml.registry(STATES).get(name) for name in ("cart", "rate"))
    own = from_yaml.registry(EMBEDDINGS).get("own")
    goods = from_yaml.registry(STORAGES).get("goods")
    total = from_yaml.registry(COMPUTES).get("total")
    kept = from_yaml.registry(STATES).get("kept")
    catalog = Catalog()
    with use_catalog(catalog):
        add_state(
            state_name="cart",
            default={"items": []},
            middlewares=cart.middlewares,
            callbacks={"on_write": cart.callbacks and cart.callbacks.on_write},  # type: ignore[arg-type]
        )
        add_state(state_name="rate", get_default=rate.get_default, shared=True, persist=False)
        add_state(
            state_name="kept",
            get_state=kept.get_state,
            set_state=kept.set_state,
            callbacks=kept.callbacks,
        )
        add_embedding(
            embedding_name="own",
            create=own.create,
            batch_size=8,
            similarity="dot",
            callbacks=own.callbacks,
        )
        add_embedding(
            embedding_name="far",
            model="openai/some-embed",
            api_key_env="EMBED_KEY",
            extra_body={"dimensions": 64},
        )
        add_storage(
            storage_name="goods",
            embedding="own",
            index=goods.index,
            default=[{"id": 1, "text": "aspirin"}, {"id": "two", "text": "cough syrup"}],
            callbacks=goods.callbacks,
        )
        add_storage(
            storage_name="shelf",
            get_data=kept.get_state,
            set_data=kept.set_state,
            vectors="chroma",
        )
        add_compute(compute_name="total", get=total.get, depends_on=["cart", "rate"], ttl=60)
    kinds: tuple[Any, ...] = (STATES, EMBEDDINGS, STORAGES, COMPUTES)
    for kind in kinds:
        assert list(catalog.registry(kind)) == list(from_yaml.registry(kind))


def test_the_schema_of_documents_knows_memory() -> None:
    validator: Any = jsonschema.Draft202012Validator(document_schema())
    assert [error.message for error in validator.iter_errors(yaml.safe_load(DOCUMENT))] == []
    wrong = DOCUMENT.replace("memory:count", "count").replace("on_search", "on_serach")
    places = {error.json_path for error in validator.iter_errors(yaml.safe_load(wrong))}
    assert places == {"$.states.cart.middlewares[0]", "$.storages.goods.callbacks"}


def test_what_is_wrong_in_a_document_is_told_with_its_place(tmp_path: Path) -> None:
    document = """\
completions: {offline: {model: offline}}
states:
  cart: {middlewares: "memory:count"}
  two: {default: 1, get_default: "memory:rate"}
  wrong: {middlewares: ["memory:count", "memory:cuont"], callbacks: {on_wirte: "memory:look"}}
storages: {goods: {callbacks: {on_search: "memory:lock"}}}
embeddings: {own: {model: hush}, none: {}}
computes: {total: {ttl: 0}}
agents: {seller: {completion: offline, states: [card], storages: [goods]}}
"""
    report = check(_write(tmp_path, document), environment={})
    told = {problem.where: (problem.line, problem.hint) for problem in report.problems}
    assert told["states.cart.middlewares"][0] == 3
    assert told["states.two"][0] == 4
    assert told["states.wrong.middlewares[1]"] == (5, "did you mean 'count'?")
    assert told["states.wrong.callbacks.on_wirte"] == (5, "did you mean 'on_write'?")
    assert told["storages.goods.callbacks.on_search"] == (6, "did you mean 'look'?")
    assert told["embeddings.own.model"][0] == 7
    assert told["embeddings.none"][0] == 7
    assert {"computes.total.ttl", "computes.total.get"} <= set(told)
    assert told["agents.seller.states[0]"] == (9, "did you mean 'cart'?")


def test_validate_finds_every_reference_that_leads_nowhere() -> None:
    """kit:validate:states-storages."""
    with use_catalog(Catalog()):
        add_completion(completion_name="offline", model="offline")
        add_state(state_name="cart")
        add_state(state_name="rate", shared=True, default=float("nan"))
        add_storage(storage_name="goods", embedding="hsah")
        add_embedding(embedding_name="own", create=len, get_similarity=max)
        add_storage(storage_name="shelf", embedding="own", vectors="chroma")
        add_storage(storage_name="bad", default=[{"id": 1}, {"id": "../x"}, {"id": 1}, {}])
        add_compute(compute_name="all", get=len, shared=True, depends_on=["rate", "cart", "carrt"])
        add_agent(
            agent_name="seller",
            completion="offline",
            states=["cart", "carts", "cart"],
            storages=["good"],
        )
        with pytest.raises(ValidationError) as caught:
            validate()
        with pytest.raises(DuplicateNameError):
            add_state(state_name="cart")
        with pytest.raises(ValidationError, match="did you mean 'persist'"):
            add_state(state_name="other", persists=True)  # type: ignore[call-arg]
    told = {problem.where: (problem.message, problem.hint) for problem in caught.value.problems}
    assert told == {
        "states.rate.default": ("the value: nan is no JSON number", None),
        "storages.shelf.vectors": (
            "Chroma cannot compare by `get_similarity` of 'own'",
            "use `vectors: exact`",
        ),
        "storages.goods.embedding": ("no embedding named 'hsah'", "did you mean 'hash'?"),
        "storages.bad.default[1]": ("this item: the id '../x' reads like a path", None),
        "storages.bad.default[2]": ("two items have the id 1", None),
        "storages.bad.default[3]": (
            "this item: an item's `id` is text or a whole number, not None",
            None,
        ),
        "computes.all.depends_on[1]": (
            "a shared compute cannot depend on 'cart', which belongs to clients",
            "make state 'cart' shared too",
        ),
        "computes.all.depends_on[2]": ("no state named 'carrt'", "did you mean 'cart'?"),
        "agents.seller.states[1]": ("no state named 'carts'", "did you mean 'cart'?"),
        "agents.seller.states[2]": ("state 'cart' is listed twice", None),
        "agents.seller.storages[0]": ("no storage named 'good'", "did you mean 'goods'?"),
    }


@pytest.mark.parametrize(
    ("add", "fields", "said"),
    [
        (add_state, {"state_name": "a", "get_state": len}, "go together"),
        (add_storage, {"storage_name": "a", "set_data": len}, "go together"),
        (add_storage, {"storage_name": "a", "vectors": "chrome"}, "'exact' or 'chroma'"),
        (
            add_storage,
            {"storage_name": "a", "vectors": "chroma", "persist": False},
            "it needs `persist`",
        ),
    ],
)
def test_fields_that_do_not_go_together_are_refused(add: Any, fields: Any, said: str) -> None:
    with use_catalog(Catalog()), pytest.raises(ValidationError, match=said):
        add(**fields)


def test_declarations_are_read_and_overridden() -> None:
    """kit:get-state, kit:override-state, and so on for each kind."""
    with use_catalog(Catalog()) as catalog:
        for door in (swarm, declarative):
            names: dict[str, dict[str, Any]] = {
                "state": {"default": 1},
                "storage": {"score": 0.5},
                "embedding": {"batch_size": 3},
                "compute": {"ttl": 5},
                "mcp": {"timeout": 5},
            }
            given: dict[str, dict[str, Any]] = {
                "embedding": {"model": "hash"},
                "compute": {"get": len},
                "mcp": {"command": ["a"]},
            }
            for kind, change in names.items():
                name = f"my_{door.__name__}"
                getattr(door, f"add_{kind}")(**{f"{kind}_name": name}, **given.get(kind, {}))
                ((field, value),) = change.items()
                get, override = (getattr(door, f"{verb}_{kind}") for verb in ("get", "override"))
                before = getattr(get(name), field)
                with override(name, **change):
                    assert getattr(get(name), field) == value != before
                assert getattr(get(name), field) == before
                with pytest.raises(UnknownNameError, match="did you mean"):
                    get(f"{name}x")
        assert catalog.registry(STATES).names == ["my_swarm", "my_declarative"]
