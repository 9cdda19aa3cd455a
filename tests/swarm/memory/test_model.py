"""States and storages against plain dictionaries, in any order of calls, with restarts."""

import tempfile
from pathlib import Path
from typing import Any

import anyio.from_thread
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from swarm import Catalog, Host, use_catalog
from swarm.memory import add_state, add_storage
from swarm.memory.owner import EVERYBODY, Owner
from tests.swarm.memory.test_values import JSON

OWNERS = st.sampled_from([Owner("shop", "anna"), Owner("shop", "bert"), Owner("bank", "anna")])
STATES = st.sampled_from(["kept", "fleeting", "shared"])
STORAGES = st.sampled_from(["kept_items", "fleeting_items", "shared_items"])
IDS = st.sampled_from([1, 2, 17, "1", "a"])
ITEMS = st.lists(st.fixed_dictionaries({"id": IDS, "value": JSON}), max_size=3)
DEFAULT: dict[str, Any] = {"default": [1]}


class Machine(RuleBasedStateMachine):
    """Does everything twice: with the real thing, and with dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._catalog = Catalog()
        with use_catalog(self._catalog):
            for name in ("kept", "fleeting", "shared"):
                shared, persist = name == "shared", name != "fleeting"
                add_state(state_name=name, default=DEFAULT, shared=shared, persist=persist)
                add_storage(storage_name=f"{name}_items", shared=shared, persist=persist)
        self._portal_context = anyio.from_thread.start_blocking_portal()
        self._portal = self._portal_context.__enter__()
        self.values: dict[tuple[str, Owner], Any] = {}
        self.items: dict[tuple[str, Owner], dict[Any, Any]] = {}
        self.numbers: dict[tuple[str, Owner], int] = {}
        self._open()

    def teardown(self) -> None:
        self._context.__exit__(None, None, None)
        self._portal_context.__exit__(None, None, None)
        self._folder.cleanup()

    @rule()
    def restart(self) -> None:
        self._context.__exit__(None, None, None)
        self._open()
        for kept in (self.values, self.items, self.numbers):
            for name, owner in list(kept):
                if name.startswith("fleeting"):
                    del kept[name, owner]

    @rule(name=STATES, owner=OWNERS, value=JSON)
    def set_value(self, name: str, owner: Owner, value: Any) -> None:
        assert self._call(self.states.set, name, value, owner) == value
        self.values[self._key(name, owner)] = value

    @rule(name=STATES, owner=OWNERS, value=JSON)
    def change_value(self, name: str, owner: Owner, value: Any) -> None:
        key = self._key(name, owner)
        expected = [self.values.get(key, DEFAULT), value]

        def change(old: Any) -> Any:
            return [old, value]

        assert self._call(self.states.set, name, change, owner) == expected
        # One step deep, so that no value grows beyond what is allowed.
        self.values[key] = self._call(self.states.set, name, value, owner)

    @rule(name=STATES, owner=OWNERS)
    def clear_value(self, name: str, owner: Owner) -> None:
        self._call(self.states.clear, name, owner)
        self.values.pop(self._key(name, owner), None)

    @rule(name=STATES, owner=OWNERS)
    def get_value(self, name: str, owner: Owner) -> None:
        expected = self.values.get(self._key(name, owner), DEFAULT)
        assert self._call(self.states.get, name, owner) == expected

    @rule(name=STORAGES, owner=OWNERS, items=ITEMS)
    def upsert(self, name: str, owner: Owner, items: list[Any]) -> None:
        self._call(self.storages.upsert, name, items, owner)
        self.items.setdefault(self._key(name, owner), {}).update({i["id"]: i for i in items})

    @rule(name=STORAGES, owner=OWNERS, item_id=IDS)
    def remove(self, name: str, owner: Owner, item_id: Any) -> None:
        kept = self.items.get(self._key(name, owner), {})
        was_there = kept.pop(item_id, None) is not None
        assert self._call(self.storages.remove, name, item_id, owner) == was_there

    @rule(name=STORAGES, owner=OWNERS)
    def clear_items(self, name: str, owner: Owner) -> None:
        self._call(self.storages.clear, name, owner)
        self.items.pop(self._key(name, owner), None)

    @rule(name=STORAGES, owner=OWNERS, item_id=IDS)
    def get_item(self, name: str, owner: Owner, item_id: Any) -> None:
        expected = self.items.get(self._key(name, owner), {}).get(item_id)
        assert self._call(self.storages.get, name, item_id, owner) == expected

    @rule(name=STORAGES, owner=OWNERS)
    def list_items(self, name: str, owner: Owner) -> None:
        expected = list(self.items.get(self._key(name, owner), {}).values())
        assert self._call(self.storages.list, name, owner) == expected

    @rule(name=STORAGES, owner=OWNERS, total=st.integers(0, 4))
    def take(self, name: str, owner: Owner, total: int) -> None:
        kept = self.items.get(self._key(name, owner), {})
        found = self._call(self.storages.take, name, "a", total, -1.0, owner)
        assert len(found) == min(total, len(kept))
        assert all(kept[item["id"]] == item for item in found)

    @rule(name=STORAGES, owner=OWNERS)
    def number(self, name: str, owner: Owner) -> None:
        key = self._key(name, owner)
        taken = [n for n in self.items.get(key, {}) if isinstance(n, int)]
        expected = max([self.numbers.get(key, 0), *taken]) + 1
        assert self._call(self.storages.create_numeric_index, name, owner) == expected
        self.numbers[key] = expected

    @invariant()
    def clients_of_other_swarms_are_others(self) -> None:
        stranger = Owner("bank", "bert")
        assert self._call(self.states.get, "kept", stranger) == DEFAULT
        assert self._call(self.storages.list, "kept_items", stranger) == []

    def _key(self, name: str, owner: Owner) -> tuple[str, Owner]:
        return name, EVERYBODY if name.startswith("shared") else owner

    def _open(self) -> None:
        host = Host(catalog=self._catalog, home=Path(self._folder.name), environment={})
        self._context = self._portal.wrap_async_context_manager(host)
        self._context.__enter__()
        self.states, self.storages = host.memory.states, host.memory.storages

    def _call(self, function: Any, *arguments: Any) -> Any:
        return self._portal.call(function, *arguments)


# A test per machine, found by pytest.
TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
