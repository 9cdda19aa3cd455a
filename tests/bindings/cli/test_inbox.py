"""`inbox`: what waits for a person, and what the person says."""

from pathlib import Path

import pytest

from tests.bindings.cli.conftest import Wikiswarm

OFFICE = """\
completions:
  model: {model: offline}
tools:
  pay:
    call: office:pay
    needs_approval: true
    examples: [Pay the bill]
agents:
  seller: {completion: model, tools: [pay]}
  person: {operator: true}
swarms:
  shop: {agent_list: [seller], default_agent: seller}
  desk: {agent_list: [person], default_agent: person, turn_timeout: 0.5}
"""

TOOLS = '''\
"""The functions of office.yaml."""


def pay() -> str:
    """Pay the bill."""
    return "paid"
'''


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A seller that pays with approval, and a person."""
    (tmp_path / "office.py").write_text(TOOLS, encoding="utf-8")
    path = tmp_path / "office.yaml"
    path.write_text(OFFICE, encoding="utf-8")
    return path


@pytest.fixture
def items(wikiswarm: Wikiswarm, office: Path) -> list[str]:
    """The ids of a call and of a question that wait."""
    wikiswarm("chat", office, "--swarm", "shop", "-m", "Pay the bill")
    wikiswarm("chat", office, "--swarm", "desk", "-m", "Help?", code=3)
    newest, oldest = wikiswarm("inbox", "list", "--json").json
    return [oldest["id"], newest["id"]]


def test_what_waits_is_listed_the_newest_first(wikiswarm: Wikiswarm, items: list[str]) -> None:
    question, call = [line.split("\t") for line in wikiswarm("inbox").lines]
    assert [question[0], call[0]] == items[::-1]
    assert question[2:] == ["question", "waiting", "person", "local", "Help?"]
    assert call[2:] == ["approval", "waiting", "seller", "local", "pay({})"]
    assert len(wikiswarm("inbox", "list", "--agent", "person").lines) == 1
    assert len(wikiswarm("inbox", "list", "--swarm", "shop").lines) == 1
    assert len(wikiswarm("inbox", "list", "--limit", "1").lines) == 1
    assert wikiswarm("inbox", "list", "--client", "nobody").lines == []
    assert wikiswarm("inbox", "--json").json == wikiswarm("inbox", "list", "--json").json


def test_an_item_is_shown_with_its_conversation(wikiswarm: Wikiswarm, items: list[str]) -> None:
    call, question = items
    lines = wikiswarm("inbox", "show", call[:6]).lines
    assert lines[0] == f"item     {call}  (approval, waiting)"
    assert lines[1].startswith("session  shop/local, agent seller, run ")
    assert lines[3:] == ["  user      Pay the bill", "wants    pay({})  (Pay the bill.)"]
    shown = wikiswarm("inbox", "show", question, "--json").json
    assert shown["payload"]["text"] == "Help?"
    assert (shown["kind"], shown["status"], shown["reply"]) == ("question", "waiting", None)


def test_a_reply_is_kept_and_delivered(
    wikiswarm: Wikiswarm, office: Path, items: list[str]
) -> None:
    _, question = items
    output = wikiswarm("inbox", "reply", question[:6], "Here I am.", "--by", "Ann")
    assert output.out == f"{question} is answered\n"
    assert "reply    Here I am." in wikiswarm("inbox", "show", question).lines
    wikiswarm("chat", office, "--swarm", "desk", "-m", "And now?", code=3)
    assert wikiswarm("inbox", "show", question, "--json").json["status"] == "done"
    assert [line.split("\t")[3] for line in wikiswarm("inbox", "list", "--all").lines] == [
        "waiting",
        "done",
        "waiting",
    ]


def test_a_call_is_refused_with_a_reason(wikiswarm: Wikiswarm, items: list[str]) -> None:
    call, _ = items
    rejected = wikiswarm("inbox", "reject", call, "--reason", "too much", "--json").json
    assert (rejected["status"], rejected["reply"]["reason"]) == ("rejected", "too much")
    assert rejected["decided_by"]
    output = wikiswarm("inbox", "approve", call, code=1)
    assert output.err.startswith(f"error: {call} was decided already by ")
    assert output.err.count("\n") == 1


def test_a_call_is_approved(wikiswarm: Wikiswarm, items: list[str]) -> None:
    call, _ = items
    output = wikiswarm("inbox", "approve", call, "--by", "Ann", "--reason", "fine")
    assert output.out == f"{call} is approved\n"
    assert wikiswarm("inbox", "show", call).lines[0].endswith("(approval, approved by Ann)")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("show", "zz"), "no item begins with 'zz'"),
        (("reply", "zz", "Yes."), "no item begins with 'zz'"),
        (("approve", "\udcff"), "no item begins with"),
    ],
)
def test_what_is_not_there_is_one_line(
    wikiswarm: Wikiswarm, home: Path, words: tuple[str, ...], error: str
) -> None:
    output = wikiswarm("inbox", *words, code=1)
    assert output.err.startswith(f"error: {error}")
    assert output.err.count("\n") == 1


def test_an_empty_inbox_says_so(wikiswarm: Wikiswarm, home: Path, tmp_path: Path) -> None:
    assert wikiswarm("inbox").err == "nothing waits for a person\n"
    other = tmp_path / "other"
    assert wikiswarm("inbox", "list", "--all", "--home", other).err == "nothing is here\n"
    output = wikiswarm("inbox", "--home", other, "list", code=2)
    assert output.err == "error: write options after the command: wikiswarm inbox list\n"


def test_a_store_can_be_named(wikiswarm: Wikiswarm, items: list[str], home: Path) -> None:
    url = f"sqlite:///{home}/journal.sqlite3"
    assert len(wikiswarm("inbox", "list", "--store", url, "--home", "elsewhere").lines) == 2
