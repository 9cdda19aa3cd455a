"""Declarations of policies, in Python and in YAML, and what is wrong with them."""

from pathlib import Path
from typing import Any

import anyio
import jsonschema
import pytest
import yaml

from declarative import check, load
from declarative.describe.schema import document_schema
from swarm import (
    Catalog,
    Host,
    add_agent,
    add_completion,
    add_policy,
    add_swarm,
    get_policy,
    override_policy,
    use_catalog,
    validate,
)
from swarm.errors import DuplicateNameError, UnknownNameError, ValidationError
from swarm.policy import POLICIES, BanListReadOnlyError, PolicyNotListedError
from tests.swarm.policy.conftest import giving

DOCUMENT = """\
completions: {offline: {model: offline}}
policies:
  polite:
    ban_message: Let us stay polite.
    auto_ban: true
    deny: [stupid, "/idiot(s|ic)?/"]
  private:
    max_length: 100
    redact: [email, card, iban, secret]
    validate_input: "rules:no_shouting"
    rewrite_output: "rules:sign"
    callbacks: {on_validate_input: "rules:look"}
agents:
  seller: {completion: offline}
swarms:
  shop: {agent_list: [seller], default_agent: seller, policies: [polite, private]}
"""
MODULE = '''\
"""What the document names."""

seen = []


def no_shouting(text, client_id, swarm_name):
    return "Please do not shout." if text.isupper() else True


async def sign(text, client_id, swarm_name):
    return f"{text} (the shop)"


def look(*names):
    seen.append(names)
'''


def _write(folder: Path, document: str) -> Path:
    (folder / "rules.py").write_text(MODULE, encoding="utf-8")
    path = folder / "shop.yaml"
    path.write_text(document, encoding="utf-8")
    return path


def test_a_document_declares_policies_that_work(tmp_path: Path) -> None:
    catalog = load(_write(tmp_path, DOCUMENT), catalog=Catalog(), environment={})

    async def use() -> None:
        async with Host(catalog=catalog, home=tmp_path / "home", environment={}) as host:
            guard = (await host.open_session("anna", "shop")).plan.guard
            assert guard is not None
            assert (await guard.check_input("HELLO", "anna")).text == "Please do not shout."
            assert (await guard.check_input("I am a@b.org", "anna")).text == "I am [email]"
            assert (await guard.check_output("Hello", "anna")).text == "Hello (the shop)"
            assert (await guard.check_input("x" * 101, "anna")).policy_name == "private"
            assert (await guard.check_input("Idiots!", "anna")).text == "Let us stay polite."
            assert (await guard.check_input("Hello", "anna")).text == "Let us stay polite."

    anyio.run(use)
    callbacks = catalog.registry(POLICIES).get("private").callbacks
    assert callbacks is not None
    assert callbacks.on_validate_input is not None
    seen: list[Any] = callbacks.on_validate_input.__globals__["seen"]
    assert seen[0] == ("HELLO", "anna", "shop", "private")


def test_python_and_yaml_give_the_same(tmp_path: Path) -> None:
    from_yaml = load(_write(tmp_path, DOCUMENT), catalog=Catalog(), environment={})
    private = from_yaml.registry(POLICIES).get("private")
    catalog = Catalog()
    with use_catalog(catalog):
        add_policy(
            policy_name="polite",
            ban_message="Let us stay polite.",
            auto_ban=True,
            deny=["stupid", "/idiot(s|ic)?/"],
        )
        add_policy(
            policy_name="private",
            max_length=100,
            redact=["email", "card", "iban", "secret"],
            validate_input=private.validate_input,
            rewrite_output=private.rewrite_output,
            callbacks=private.callbacks,
        )
    assert list(catalog.registry(POLICIES)) == list(from_yaml.registry(POLICIES))


def test_the_schema_of_documents_knows_policies() -> None:
    validator: Any = jsonschema.Draft202012Validator(document_schema())
    assert [error.message for error in validator.iter_errors(yaml.safe_load(DOCUMENT))] == []
    wrong = DOCUMENT.replace("rules:sign", "sign").replace("redact: [email", "redact: [mail")
    places = {error.json_path for error in validator.iter_errors(yaml.safe_load(wrong))}
    assert places == {"$.policies.private.rewrite_output", "$.policies.private.redact[0]"}


def test_a_check_says_everything_with_its_place(tmp_path: Path) -> None:
    wrong = (
        DOCUMENT.replace("stupid", r"\\bstupid")
        .replace("(s|ic)?/", "(s|ic/")
        .replace("[email", "[mail")
        .replace("policies: [polite", "policies: [polit")
    )
    problems = check(_write(tmp_path, wrong), environment={}).problems
    found = {(p.line, p.where): f"{p.message} {p.hint or ''}" for p in problems}
    assert set(found) == {
        (6, "policies.polite.deny[0]"),
        (6, "policies.polite.deny[1]"),
        (9, "policies.private.redact[0]"),
        (16, "swarms.shop.policies[0]"),
    }
    assert "write one between slashes" in found[6, "policies.polite.deny[0]"]
    assert "unclosed group" in found[6, "policies.polite.deny[1]"]
    assert "'email'" in found[9, "policies.private.redact[0]"]
    assert "no policy named 'polit' did you mean 'polite'?" in found[16, "swarms.shop.policies[0]"]


def test_validate_finds_policies_that_nothing_declares() -> None:
    catalog = Catalog()
    with use_catalog(catalog):
        add_completion(completion_name="offline", model="offline")
        add_agent(agent_name="seller", completion="offline")
        names = ["polite", "polte", "polite"]
        add_swarm(swarm_name="shop", agent_list=["seller"], default_agent="seller", policies=names)
        with pytest.raises(ValidationError, match="no policy is declared"):
            validate()
        add_policy(policy_name="polite")
        with pytest.raises(ValidationError) as caught:
            validate()
    assert [str(problem) for problem in caught.value.problems] == [
        "swarms.shop.policies[1]: no policy named 'polte' (did you mean 'polite'?)",
        "swarms.shop.policies: policy 'polite' is listed 2 times",
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"deny": ["C++"]}, r"policies.polite.deny\[0\]: 'C\+\+' reads like a regular expression"),
        ({"deny": ["ok", "/(?=a)/"]}, r"policies.polite.deny\[1\]: .* look-around"),
        ({"redact": ["phone"]}, r"policies.polite.redact\[0\]: .*'card', 'email', 'iban'"),
        ({"max_length": 0}, "policies.polite.max_length: .* greater than 0"),
        ({"ban_message": ""}, "policies.polite.ban_message: .* at least 1 character"),
        ({"set_banned_clients": giving(None)}, "needs `get_banned_clients`"),
        ({"get_banned_clients": giving([]), "auto_ban": True}, "needs `set_banned_clients`"),
        ({"ban_mesage": "No."}, "unknown field 'ban_mesage' .*did you mean 'ban_message'"),
    ],
)
def test_wrong_fields_are_refused_where_they_are_declared(
    fields: dict[str, Any], message: str
) -> None:
    with use_catalog(Catalog()), pytest.raises(ValidationError, match=message):
        add_policy(policy_name="polite", **fields)


def test_policies_are_declared_once_got_and_overridden() -> None:
    with use_catalog(Catalog()):
        assert add_policy(policy_name="polite", deny=["gun"]) == "polite"
        with pytest.raises(DuplicateNameError, match="policy 'polite' is declared already"):
            add_policy(policy_name="polite")
        with override_policy("polite", ban_message="No."):
            assert get_policy("polite").ban_message == "No."
            assert get_policy("polite").deny == ("gun",)
        assert get_policy("polite").ban_message == "I am not going to discuss it!"
        with pytest.raises(UnknownNameError, match="did you mean 'polite'"):
            get_policy("polit")
        with (
            pytest.raises(ValidationError, match=r"policies\.polite\.max_length"),
            override_policy("polite", max_length=-1),
        ):
            pass


def test_the_errors_have_codes_of_their_own() -> None:
    codes = {error.code: error.rpc_code for error in (PolicyNotListedError, BanListReadOnlyError)}
    assert codes == {"policy_not_listed": -32090, "ban_list_read_only": -32091}
