"""`chat` and `ask`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from swarm import CompletionRequest, Message
from swarm.testing import StubReply, call_tool
from tests.bindings.cli.conftest import Serve, Wikiswarm


def hosted(shop: Path, url: str, **fields: object) -> Path:
    """Point the shop's model at a server."""
    spec = {"model": "openai/any", "base_url": url, "max_retries": 0, **fields}
    text = shop.read_text(encoding="utf-8").replace("{model: offline}", json.dumps(spec))
    shop.write_text(text, encoding="utf-8")
    return shop


@pytest.mark.requirement("S4-10", "S4-17")
def test_a_message_is_answered_by_way_of_the_wiki(wikiswarm: Wikiswarm, shop: Path) -> None:
    output = wikiswarm("chat", shop, "--message", "How much is it?")
    assert output.out == "On 'How much is it?': 4.80 euros.\n"
    told = output.err.splitlines()
    assert told[0] == "  calls price({})"
    assert told[1].startswith("  run ")


def test_several_messages_are_answered_in_order(wikiswarm: Wikiswarm, shop: Path) -> None:
    for options in ((), ("--no-stream",)):
        output = wikiswarm(
            "chat", shop, *options, "-m", "How much is it?", "-m", "How many in stock?"
        )
        assert output.lines == ["On 'How much is it?': 4.80 euros.", "3"]


def test_json_is_one_line_for_each_answer(wikiswarm: Wikiswarm, shop: Path) -> None:
    output = wikiswarm("chat", shop, "--json", "-m", "How much is it?", "-m", "How many in stock?")
    first, second = map(json.loads, output.lines)
    assert set(first) == {"run_id", "agent_name", "answer", "usage"}
    assert (first["agent_name"], second["answer"]) == ("seller", "3")
    assert wikiswarm("chat", shop, "--json", "-m", "In stock?").json["answer"] == "3"
    piped = wikiswarm("chat", shop, "--json", "--history", stdin="How much is it?\n")
    history, answer = map(json.loads, piped.lines)
    assert history["history"][0] == {**history["history"][0], "content": "How much is it?"}
    assert answer["answer"].endswith("4.80 euros.")
    assert len(wikiswarm("chat", shop, "--json", stdin="In stock?\n").lines) == 1


def test_without_a_terminal_each_line_is_a_message(wikiswarm: Wikiswarm, shop: Path) -> None:
    output = wikiswarm("chat", shop, stdin="How much is it?\n\n  \nHow many in stock?")
    assert output.lines == ["On 'How much is it?': 4.80 euros.", "3"]
    assert wikiswarm("chat", shop, "--client", "nobody", stdin="").out == ""


def test_a_conversation_goes_on_where_it_ended(wikiswarm: Wikiswarm, shop: Path) -> None:
    wikiswarm("chat", shop, "-m", "How much is it?")
    wikiswarm("chat", shop, "-m", "In stock?", "--client", "other")
    expected = ["> How much is it?", "On 'How much is it?': 4.80 euros."]
    assert wikiswarm("chat", shop, stdin="").lines == expected
    output = wikiswarm("chat", shop, "--history", "-m", "How many in stock?")
    assert output.lines == [*expected, "3"]
    assert wikiswarm("chat", shop, "-m", "How many in stock?").lines == ["3"]
    others = wikiswarm("chat", shop, "--client", "other", stdin="").lines
    assert others == ["> In stock?", "3"]


def test_a_hand_off_is_shown_and_lasts(wikiswarm: Wikiswarm, shop: Path) -> None:
    output = wikiswarm("chat", shop, "-m", "I want a doctor")
    assert "  calls to_doctor({})" in output.err
    assert "  seller hands over to doctor" in output.err
    assert wikiswarm("chat", shop, "--json", "-m", "Hello").json["agent_name"] == "doctor"


def _relay(request: Mapping[str, Any]) -> StubReply | Message:
    last = request["messages"][-1]
    if last["role"] == "tool":
        return StubReply(f"The wiki says: {last['content']} \x1b[31mNow in red.\x07")
    return call_tool("price", "call_1", question="Price of Dolanex?")


@pytest.mark.parametrize("option", ["--stream", "--no-stream"])
@pytest.mark.requirement("S0-35", "S4-10", "S4-11")
def test_an_openai_compatible_server_calls_the_tool_and_answers(
    wikiswarm: Wikiswarm, shop: Path, serve: Serve, option: str
) -> None:
    server = serve(_relay)
    output = wikiswarm("chat", hosted(shop, server.base_url), option, "-m", "How much?")
    assert output.out == ("The wiki says: On 'Price of Dolanex?': 4.80 euros. [31mNow in red.\n")
    first, second = server.requests
    assert [tool["function"]["name"] for tool in first["tools"]] == ["to_doctor", "price", "stock"]
    assert first.get("stream", False) is (option == "--stream")
    assert [message["role"] for message in second["messages"]] == [
        "system", "user", "assistant", "tool",
    ]  # fmt: skip
    assert second["messages"][-1]["tool_call_id"] == "call_1"


def test_a_model_that_fails_ends_the_turn_and_not_the_conversation(
    wikiswarm: Wikiswarm, shop: Path, serve: Serve
) -> None:
    def reply(request: Mapping[str, Any]) -> StubReply:
        text = request["messages"][-1]["content"]
        return StubReply(status=int(text)) if text.isdigit() else StubReply(f"You said {text}")

    path = hosted(shop, serve(reply).base_url)
    output = wikiswarm("chat", path, "-m", "a", "-m", "400", "-m", "b")
    assert output.lines == ["You said a", "You said b"]
    assert "error: openai/any: HTTP 400: stub status 400" in output.err
    last = wikiswarm("chat", path, "-m", "503", code=3)
    assert last.out == ""
    assert last.err.startswith("error: openai/any: HTTP 503")
    listed = wikiswarm("runs", "list", "--json").json
    assert [run["status"] for run in listed] == ["failed", "answered", "failed", "answered"]


def test_a_server_that_is_not_there_is_named(wikiswarm: Wikiswarm, shop: Path) -> None:
    path = hosted(shop, "http://127.0.0.1:9/v1")
    output = wikiswarm("chat", path, "-m", "Hello", code=3)
    assert output.err.count("\n") == 1
    assert "127.0.0.1:9" in output.err


@pytest.mark.requirement("S1-20", "S1-25", "S4-21")
def test_a_key_that_is_missing_or_wrong_is_one_clear_line(
    wikiswarm: Wikiswarm, shop: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(lambda _: "Hello", key="sk-right-key-of-the-shop")
    text = shop.read_text(encoding="utf-8")
    shop.write_text(text.replace("model: offline", "model: openai/any"), encoding="utf-8")
    output = wikiswarm("chat", shop, "-m", "Hello", code=3)
    assert output.err.count("\n") == 1
    assert "set OPENAI_API_KEY in the environment or in .env" in output.err
    shop.write_text(text, encoding="utf-8")
    path = hosted(shop, server.base_url, api_key_env="SHOP_KEY")
    assert "SHOP_KEY" in wikiswarm("chat", path, "-m", "Hello", code=3).err
    monkeypatch.setenv("SHOP_KEY", "sk-wrong-key-of-the-shop")
    refused = wikiswarm("chat", path, "-m", "Hello", code=3)
    assert "401" in refused.err
    assert "sk-wrong" not in refused.err
    assert "sk-wrong" not in wikiswarm("runs", "list", "--json").out
    monkeypatch.setenv("SHOP_KEY", "sk-right-key-of-the-shop")
    assert wikiswarm("chat", path, "-m", "Hello").out == "Hello\n"


def test_a_key_may_be_in_the_env_file(
    wikiswarm: Wikiswarm, shop: Path, serve: Serve, tmp_path: Path
) -> None:
    server = serve(lambda _: "Hello", key="sk-of-the-file")
    (tmp_path / ".env").write_text("SHOP_KEY='sk-of-the-file'\n", encoding="utf-8")
    path = hosted(shop, server.base_url, api_key_env="SHOP_KEY")
    assert wikiswarm("chat", path, "-m", "Hello").out == "Hello\n"


def test_the_swarm_is_named_when_there_are_several(wikiswarm: Wikiswarm, shop: Path) -> None:
    with shop.open("a", encoding="utf-8") as file:
        file.write("  clinic: {agent_list: [doctor], default_agent: doctor}\n")
    output = wikiswarm("chat", shop, "-m", "Hello", code=1)
    assert "name a swarm with --swarm; the document declares: shop, clinic" in output.err
    found = wikiswarm("chat", shop, "--swarm", "clinic", "--json", "-m", "Hello").json
    assert found["agent_name"] == "doctor"
    wrong = wikiswarm("chat", shop, "--swarm", "clinc", "-m", "Hello", code=1)
    assert "did you mean 'clinic'?" in wrong.err


@pytest.mark.requirement("S4-16")
def test_a_wiki_is_asked(wikiswarm: Wikiswarm, shop: Path) -> None:
    output = wikiswarm("ask", shop, "pharma", "How much?")
    assert output.out == "On 'How much?': 4.80 euros.\n"
    assert output.err.startswith("(python:look_up, ")
    answer = wikiswarm("ask", shop, "pharma", "How much?", "--json").json
    assert answer["text"] == "On 'How much?': 4.80 euros."
    assert (answer["wiki_name"], answer["is_fallback"]) == ("pharma", False)
    wrong = wikiswarm("ask", shop, "pharm", "How much?", code=1)
    assert wrong.err == "error: no wiki named 'pharm'; did you mean 'pharma'?\n"


def test_a_model_beside_the_document_is_shown_as_it_was_written(
    wikiswarm: Wikiswarm, shop: Path
) -> None:
    text = shop.read_text(encoding="utf-8")
    text = text.replace('get_chat: "shop:look_up"', 'model: "python:shop:answer"')
    shop.write_text(text, encoding="utf-8")
    with shop.with_suffix(".py").open("a", encoding="utf-8") as file:
        file.write("\n\ndef answer(request):\n    return '4.80'\n")
    assert wikiswarm("ask", shop, "pharma", "a", "--json").json["model"] == "python:shop:answer"


OTHER = f"python:{__name__}:other_price"


def other_price(request: CompletionRequest) -> str:
    """Answer as another model would."""
    return "4.90"


@pytest.mark.requirement("S1-19")
def test_a_question_is_answered_by_the_default_or_by_a_chosen_model(
    wikiswarm: Wikiswarm, shop: Path
) -> None:
    usual = wikiswarm("ask", shop, "pharma", "How much?")
    assert usual.err.startswith("(python:look_up, ")
    chosen = wikiswarm("ask", shop, "pharma", "How much?", "--model", OTHER)
    assert chosen.out == "4.90\n"
    assert chosen.err.startswith(f"({OTHER}, ")
    wrong = wikiswarm("ask", shop, "pharma", "How much?", "--model", "answer", code=1)
    assert wrong.err == "error: 'answer' is no model reference; write provider/model\n"


def test_bytes_that_are_no_text_end_no_conversation(wikiswarm: Wikiswarm, shop: Path) -> None:
    output = wikiswarm("chat", shop, "--json", "-m", "How much is th\udce9?")
    assert output.json["answer"] == "On 'How much is th??': 4.80 euros."
    assert wikiswarm("ask", shop, "pharma", "th\udce9").out == "On 'th?': 4.80 euros.\n"
