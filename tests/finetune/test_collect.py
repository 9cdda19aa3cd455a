"""Rows from captured conversations: every conversation here really ran, and is in a journal."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from finetune import Collection, collect
from finetune.dataset import (
    DatasetKind,
    DatasetReport,
    DpoRow,
    SftRow,
    check_file,
    encode_row,
    write_rows,
)
from swarm import (
    Catalog,
    Host,
    Message,
    Session,
    ToolContext,
    add_agent,
    add_completion,
    add_swarm,
    add_tool,
    commit_system_message,
    commit_tool_output,
    emit,
    execute,
    session,
    use_catalog,
)
from swarm.errors import DataError, ProviderRefusedError, SwarmError
from swarm.store import Database, Feedback, add_feedback, list_runs, open_database
from swarm.testing import ScriptedCompletion, StubReply, StubServer, call_tool
from wiki import add_wiki

pytestmark = pytest.mark.anyio

Said = str | Message | Exception
Row = dict[str, Any]

_SECRET = "sk-proj-" + "a1B2c3D4" * 4


def price(product: str) -> str:
    """Return what a product costs."""
    if product == "unknown":
        raise LookupError("no such product")
    return f"{product}: 4.80 euros"


def look_up(message: str) -> str:
    """Answer as a wiki."""
    return f"The wiki on: {message}"


def tell_hours(message: str) -> str:
    """Answer as another wiki."""
    return "Nine to five."


async def advise(product: str, context: ToolContext) -> None:
    """Tell the customer about a product."""
    who = context.client_id, context.agent_name
    await commit_tool_output(context.tool_id, f"{product} helps", *who)
    await execute("Tell the answer based on the last tool output.", *who)


async def announce(context: ToolContext) -> None:
    """Tell the customer something that no model wrote."""
    await emit("We close in ten minutes.", context.client_id, context.agent_name)


def desk(steps: Sequence[Said]) -> tuple[Catalog, ScriptedCompletion]:
    """Return a swarm of two agents with tools, a wiki and a hand-off, and its scripted model."""
    model = ScriptedCompletion(steps)
    catalog = Catalog()
    with use_catalog(catalog):
        add_completion(completion_name="model", get_completion=model)
        add_wiki(wiki_name="pharma", get_chat=look_up)
        add_wiki(wiki_name="hours", get_chat=tell_hours)
        for tool in (price, advise, announce):
            add_tool(tool_name=tool.__name__, call=tool)
        add_tool(tool_name="ask_pharma", wiki="pharma")
        add_tool(tool_name="ask_hours", wiki="hours")
        add_agent(
            agent_name="seller",
            completion="model",
            prompt="You sell.",
            system=["Be brief.", "Be kind."],
            tools=["price", "advise", "announce", "ask_pharma", "ask_hours"],
            wiki_list=["pharma", "hours"],
            handoffs=["doctor"],
        )
        add_agent(agent_name="doctor", completion="model", prompt="You heal.", tools=["price"])
        add_swarm(swarm_name="desk", agent_list=["seller", "doctor"], default_agent="seller")
    return catalog, model


@asynccontextmanager
async def talking(
    home: Path, steps: Sequence[Said], client_id: str = "ada"
) -> AsyncGenerator[Session]:
    """Open a session whose model says what is written down, and see that it said all of it."""
    catalog, model = desk(steps)
    async with (
        Host(catalog=catalog, home=home, environment={}) as host,
        session(client_id, "desk", host=host) as chat,
    ):
        yield chat
    model.assert_complete()


async def talk(home: Path, *turns: tuple[str, Sequence[Said]], client_id: str = "ada") -> None:
    """Hold a conversation: each turn is a question and what the model does about it."""
    async with talking(home, [step for _, steps in turns for step in steps], client_id) as chat:
        for text, _ in turns:
            try:
                await chat.complete(text)
            except SwarmError as error:
                assert isinstance(error, ProviderRefusedError)


@asynccontextmanager
async def journal(home: Path) -> AsyncGenerator[Database]:
    """Open the journal of a home."""
    database = open_database(home)
    try:
        yield database
    finally:
        database.close()


async def collected(home: Path, **options: Any) -> Collection:
    async with journal(home) as database:
        return await collect(database, **options)


async def give(home: Path, question: str, **feedback: Any) -> None:
    """Give feedback on the answer to a question."""
    async with journal(home) as database:
        [run] = [run for run in await list_runs(database) if run.question == question]
        await add_feedback(database, Feedback(run_id=run.run_id, **feedback))


def checked(found: Collection, folder: Path, kind: DatasetKind = "sft") -> DatasetReport:
    """Write the rows of a collection and let the dataset check read the file."""
    rows: Sequence[SftRow | DpoRow] = found.sft_rows if kind == "sft" else found.dpo_rows
    written = write_rows(folder / f"{kind}.jsonl", rows)
    report = check_file(written.path, kind=kind, minimum=1)
    assert not report.problems, [str(problem) for problem in report.problems]
    assert report.rows == len(rows)
    return report


def dump(row: SftRow | DpoRow | None) -> Row:
    assert row is not None
    value: Row = json.loads(encode_row(row))
    return value


def roles(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    return [message["role"] for message in messages]


@pytest.mark.requirement("S0-01", "S0-03", "S0-04", "S4-02", "S4-03")
async def test_a_turn_with_a_tool_becomes_a_row_with_its_tools(tmp_path: Path) -> None:
    await talk(
        tmp_path,
        ("How much is Dolanex?", [call_tool("price", "c1", product="Dolanex"), "It is 4.80."]),
    )
    found = await collected(tmp_path)
    [row] = map(dump, found.sft_rows)
    assert row["messages"] == [
        {"role": "system", "content": "You sell.\nBe brief.\nBe kind."},
        {"role": "user", "content": "How much is Dolanex?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "price", "arguments": '{"product":"Dolanex"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "Dolanex: 4.80 euros"},
        {"role": "assistant", "content": "It is 4.80."},
    ]
    names = [tool["function"]["name"] for tool in row["tools"]]
    assert names == [
        "transfer_to_doctor", "price", "advise", "announce", "ask_pharma", "ask_hours"
    ]  # fmt: skip
    assert row["tools"][1]["function"]["parameters"]["required"] == ["product"]
    assert found.dropped == {}
    assert checked(found, tmp_path).tools == {"price": 1}


async def test_earlier_answers_are_context_that_is_not_trained_again(tmp_path: Path) -> None:
    await talk(
        tmp_path,
        ("Hello", ["Good morning."]),
        ("How much?", [call_tool("price", "c1", product="A"), "4.80."]),
        ("And B?", [call_tool("price", "c2", product="B"), "Also 4.80."]),
    )
    found = await collected(tmp_path)
    first, second, third = map(dump, found.sft_rows)
    assert "weight" not in first["messages"][-1]
    weights = [m.get("weight") for m in third["messages"] if m["role"] == "assistant"]
    assert weights == [0, 0, 0, None, None]
    assert roles(third["messages"]) == [
        "system", "user", "assistant", "user", "assistant", "tool", "assistant",
        "user", "assistant", "tool", "assistant",
    ]  # fmt: skip
    assert [row["messages"][-1]["content"] for row in (first, second, third)] == [
        "Good morning.",
        "4.80.",
        "Also 4.80.",
    ]
    checked(found, tmp_path)


async def test_a_long_conversation_is_cut_before_a_question(tmp_path: Path) -> None:
    await talk(
        tmp_path,
        *(
            (f"Question {n}", [call_tool("price", f"c{n}", product="A"), f"Answer {n}."])
            for n in range(8)
        ),
    )
    found = await collected(tmp_path, context_messages=6)
    messages = dump(found.sft_rows[-1])["messages"]
    assert len(messages) <= 1 + 6 + 4
    assert roles(messages)[:2] == ["system", "user"]
    assert messages[-1]["content"] == "Answer 7."
    checked(found, tmp_path)


async def test_a_hand_off_leaves_the_row_to_the_agent_that_answered(tmp_path: Path) -> None:
    parting = replace(call_tool("transfer_to_doctor", "c1"), content="One moment.")
    await talk(
        tmp_path,
        ("My head hurts", [parting, call_tool("price", "c2", product="A"), "Take one A."]),
        ("Thanks", ["Get well."]),
    )
    found = await collected(tmp_path)
    first, second = map(dump, found.sft_rows)
    assert [segment.agent_name for segment in found.segments] == ["doctor", "doctor"]
    assert first["messages"][0]["content"] == "You heal."
    assert [tool["function"]["name"] for tool in first["tools"]] == ["price"]
    # What the seller said is context; the doctor shall not learn to say it.
    said = [(m.get("content"), m.get("weight")) for m in first["messages"] if "content" in m]
    assert ("One moment.", 0) in said
    assert (None, None) in said
    assert second["messages"][-1]["content"] == "Get well."
    checked(found, tmp_path)
    assert len((await collected(tmp_path, agent_name="seller")).segments) == 0
    assert len((await collected(tmp_path, agent_name="doctor")).segments) == 2


async def test_what_was_committed_for_the_agent_is_in_its_row(tmp_path: Path) -> None:
    async with talking(tmp_path, ["Hello, doctor."]) as chat:
        await commit_system_message("The customer is a doctor.", "ada", "seller")
        await chat.complete("Hi")
    [row] = map(dump, (await collected(tmp_path)).sft_rows)
    assert row["messages"][0]["content"].endswith("\nThe customer is a doctor.")


async def test_a_turn_of_the_program_trains_its_own_answer_only(tmp_path: Path) -> None:
    async with talking(tmp_path, ["Hello.", "Your parcel came."]) as chat:
        await chat.complete("Hi")
        await execute("Say that the parcel came.", "ada", "seller")
    _, row = map(dump, (await collected(tmp_path)).sft_rows)
    said = [(m["role"], m["content"], m.get("weight")) for m in row["messages"][1:]]
    assert said == [
        ("user", "Hi", None),
        ("assistant", "Hello.", 0),
        ("user", "Say that the parcel came.", None),
        ("assistant", "Your parcel came.", None),
    ]


async def test_an_answer_that_a_tool_made_the_model_give_is_the_answer(tmp_path: Path) -> None:
    await talk(
        tmp_path, ("What helps?", [call_tool("advise", "c1", product="Dolanex"), "Dolanex does."])
    )
    found = await collected(tmp_path)
    [row] = map(dump, found.sft_rows)
    assert roles(row["messages"]) == [
        "system", "user", "assistant", "tool", "user", "assistant",
    ]  # fmt: skip
    assert row["messages"][-1]["content"] == "Dolanex does."
    assert [segment.answer for segment in found.segments] == ["Dolanex does."]
    checked(found, tmp_path)


@pytest.mark.requirement("S4-04")
async def test_of_several_answers_in_a_turn_the_last_one_is_trained(tmp_path: Path) -> None:
    both = Message(
        role="assistant",
        tool_calls=(
            *call_tool("advise", "c1", product="A").tool_calls,
            *call_tool("announce", "c2").tool_calls,
        ),
    )
    await talk(tmp_path, ("What helps?", [both, "A does."]))
    await give(tmp_path, "What helps?", correct="A does, and we close in ten minutes.")
    found = await collected(tmp_path)
    [row] = map(dump, found.sft_rows)
    assert found.segments[0].answer == "We close in ten minutes."
    trained = [
        m["content"]
        for m in row["messages"]
        if m["role"] == "assistant" and m.get("weight") != 0 and m["content"]
    ]
    assert trained == ["A does, and we close in ten minutes."]
    checked(found, tmp_path)
    checked(found, tmp_path, "dpo")


@pytest.mark.requirement("S0-23")
async def test_turns_without_a_good_answer_are_dropped_and_counted(tmp_path: Path) -> None:
    refusal = ProviderRefusedError("no", provider="model")
    await talk(
        tmp_path,
        ("Fails", [refusal]),
        ("Says nothing", ["", "", ""]),
        ("Calls what is not there", [call_tool("prize", "c1", product="A"), "I cannot."]),
        ("Calls it wrongly", [call_tool("price", "c2", amount=1), "I cannot."]),
        ("Asks for too much", [call_tool("price", "c3", product="unknown"), "No idea."]),
        ("Works", [call_tool("price", "c4", product="A"), "4.80."]),
    )
    found = await collected(tmp_path)
    assert found.dropped == {"no_answer": 1, "placeholder": 1, "tool_error": 3}
    assert [segment.answer for segment in found.segments] == ["4.80."]
    checked(found, tmp_path)


async def test_an_interrupted_turn_is_dropped_and_leaves_no_half_turn(tmp_path: Path) -> None:
    slow = call_tool("price", "c1", product="A")
    async with talking(tmp_path, ["Hello.", slow, "Bye."]) as chat:
        await chat.complete("Hello")
        async for _ in chat.stream("Interrupted"):
            break
        await chat.complete("Bye")
    found = await collected(tmp_path)
    assert found.dropped == {"no_answer": 1}
    assert [segment.answer for segment in found.segments] == ["Hello.", "Bye."]
    assert "tool" not in roles(dump(found.sft_rows[1])["messages"])
    checked(found, tmp_path)


async def test_offline_answers_without_a_tool_are_no_examples(tmp_path: Path) -> None:
    catalog = Catalog()
    with use_catalog(catalog):
        add_completion(completion_name="model", model="offline")
        add_tool(tool_name="price", call=price, description="What a product costs")
        add_agent(agent_name="seller", completion="model", tools=["price"])
        add_swarm(swarm_name="desk", agent_list=["seller"], default_agent="seller")
    async with (
        Host(catalog=catalog, home=tmp_path, environment={}) as host,
        session("ada", "desk", host=host) as chat,
    ):
        await chat.complete("Sing something")
        await chat.complete("What does the product Dolanex cost?")
    found = await collected(tmp_path)
    assert found.dropped == {"offline": 1}
    assert [segment.answer for segment in found.segments] == ["Dolanex: 4.80 euros"]
    await give(tmp_path, "Sing something", correct="I only sell medicine.")
    corrected = await collected(tmp_path)
    assert corrected.dropped == {}
    assert dump(corrected.sft_rows[0])["messages"][-1]["content"] == "I only sell medicine."
    assert len(corrected.dpo_rows) == 1
    checked(found, tmp_path)


async def test_calls_with_an_id_that_was_used_before_are_told_apart(tmp_path: Path) -> None:
    def reply(request: Mapping[str, Any]) -> StubReply | Message:
        if request["messages"][-1]["role"] == "tool":
            return StubReply("4.80.")
        # As some servers do, it counts from the start in every answer.
        return call_tool("price", "call_1", product=request["messages"][-1]["content"])

    catalog, _ = desk([])
    async with StubServer(reply) as server:
        with use_catalog(catalog):
            add_completion(completion_name="wire", model="openai/any", base_url=server.base_url)
            add_agent(agent_name="clerk", completion="wire", tools=["price"])
            add_swarm(swarm_name="till", agent_list=["clerk"], default_agent="clerk")
        async with (
            Host(catalog=catalog, home=tmp_path, environment={}) as host,
            session("ada", "till", host=host) as chat,
        ):
            for product in ("A", "B", "C"):
                await chat.complete(product)
    found = await collected(tmp_path)
    outputs = [m["content"] for m in dump(found.sft_rows[2])["messages"] if m["role"] == "tool"]
    assert outputs == ["A: 4.80 euros", "B: 4.80 euros", "C: 4.80 euros"]
    checked(found, tmp_path)


async def test_arguments_that_a_model_encoded_its_own_way_are_one_object(tmp_path: Path) -> None:
    twice, none = call_tool("price", "c1").tool_calls[0], call_tool("announce", "c2").tool_calls[0]
    calls = (
        replace(twice, arguments=json.dumps('{"product": "A"}')),
        replace(none, arguments=""),
    )
    await talk(tmp_path, ("How much?", [Message(role="assistant", tool_calls=calls)]))
    found = await collected(tmp_path)
    [row] = map(dump, found.sft_rows)
    [said] = [m for m in row["messages"] if m.get("tool_calls")]
    assert [c["function"]["arguments"] for c in said["tool_calls"]] == ['{"product": "A"}', "{}"]
    checked(found, tmp_path)


async def test_tools_that_are_gone_since_do_not_spoil_later_rows(tmp_path: Path) -> None:
    await talk(tmp_path, ("First", [call_tool("price", "c1", product="A"), "4.80."]))
    model = ScriptedCompletion(["Yes."])
    catalog = Catalog()
    with use_catalog(catalog):
        add_completion(completion_name="model", get_completion=model)
        add_agent(agent_name="seller", completion="model", prompt="You sell less.")
        add_swarm(swarm_name="desk", agent_list=["seller"], default_agent="seller")
    async with (
        Host(catalog=catalog, home=tmp_path, environment={}) as host,
        session("ada", "desk", host=host) as chat,
    ):
        await chat.complete("Second")
    found = await collected(tmp_path)
    second = dump(found.sft_rows[1])
    assert "tools" not in second
    assert second["messages"][0]["content"] == "You sell less."
    assert roles(second["messages"]) == ["system", "user", "assistant", "user", "assistant"]
    checked(found, tmp_path)


@pytest.mark.requirement("S0-23", "S4-04", "S4-02")
async def test_feedback_decides_what_becomes_of_an_answer(tmp_path: Path) -> None:
    await talk(
        tmp_path,
        ("Plain", ["Answer."]),
        ("Liked", ["Good answer."]),
        ("Disliked", ["Bad answer."]),
        ("Corrected", [call_tool("price", "c1", product="A"), "It is 5.80."]),
        ("Confirmed", ["Right."]),
    )
    await give(tmp_path, "Liked", rating=5)
    await give(tmp_path, "Disliked", rating=2)
    await give(tmp_path, "Corrected", rating=1)
    await give(tmp_path, "Corrected", correct="It is 4.80.")
    await give(tmp_path, "Confirmed", correct=" Right. ")
    found = await collected(tmp_path)
    assert found.dropped == {"low_rating": 1}
    assert [(s.answer, s.rating) for s in found.segments] == [
        ("Answer.", None),
        ("Good answer.", 5),
        ("It is 5.80.", 1),
        ("Right.", None),
    ]
    assert dump(found.sft_rows[2])["messages"][-1] == {
        "role": "assistant",
        "content": "It is 4.80.",
    }
    [row] = map(dump, found.dpo_rows)
    assert row["preferred_output"] == [{"role": "assistant", "content": "It is 4.80."}]
    assert row["non_preferred_output"] == [{"role": "assistant", "content": "It is 5.80."}]
    assert row["input"]["parallel_tool_calls"] is True
    assert row["input"]["tools"][1]["function"]["name"] == "price"
    assert roles(row["input"]["messages"])[-2:] == ["assistant", "tool"]
    assert not any("weight" in message for message in row["input"]["messages"])
    checked(found, tmp_path)
    checked(found, tmp_path, "dpo")
    assert len((await collected(tmp_path, min_rating=2)).segments) == 5


@pytest.mark.requirement("S4-01", "S4-02")
async def test_a_wikis_own_questions_and_answers_can_be_collected(tmp_path: Path) -> None:
    both = Message(
        role="assistant",
        tool_calls=(
            *call_tool("ask_pharma", "c3", question="Dose?").tool_calls,
            *call_tool("ask_hours", "c4").tool_calls,
        ),
    )
    twice = Message(
        role="assistant",
        tool_calls=(
            *call_tool("ask_pharma", "c5", question="Price of A?").tool_calls,
            *call_tool("ask_pharma", "c6", question="Price of B?").tool_calls,
        ),
    )
    await talk(
        tmp_path,
        ("Hello", ["Hi."]),
        ("What is Dolanex?", [call_tool("ask_pharma", "c1"), "It is a tablet."]),
        ("How much?", [call_tool("ask_pharma", "c2", question="Price?"), "4.80."]),
        ("Both?", [both, "One a day, nine to five."]),
        ("A or B?", [twice, "Both cost the same."]),
    )
    await give(tmp_path, "How much?", correct="4.80 euros.")
    await give(tmp_path, "A or B?", correct="A is cheaper.")
    found = await collected(tmp_path, wiki_name="pharma")
    assert found.dropped == {"no_wiki": 1}
    assert [dump(row)["messages"] for row in found.sft_rows[:3]] == [
        [
            {"role": "user", "content": "What is Dolanex?"},
            {"role": "assistant", "content": "The wiki on: What is Dolanex?"},
        ],
        [{"role": "user", "content": "Price?"}, {"role": "assistant", "content": "4.80 euros."}],
        [
            {"role": "user", "content": "Dose?"},
            {"role": "assistant", "content": "The wiki on: Dose?"},
        ],
    ]
    # Nobody knows which of two answers a correction is of, so it corrects neither.
    assert [segment.correct for segment in found.segments] == [None, "4.80 euros.", None, None]
    [pair] = map(dump, found.dpo_rows)
    assert pair["input"] == {"messages": [{"role": "user", "content": "Price?"}]}
    checked(found, tmp_path)
    checked(found, tmp_path, "dpo")
    hours = await collected(tmp_path, wiki_name="hours")
    assert [segment.answer for segment in hours.segments] == ["Nine to five."]


async def test_sessions_stay_apart_and_in_order(tmp_path: Path) -> None:
    for client_id in ("zoe", "ada", "max"):
        await talk(tmp_path, (f"I am {client_id}", [f"Hello {client_id}."]), client_id=client_id)
    await talk(tmp_path, ("Still me", ["Yes, zoe."]), client_id="zoe")
    found = await collected(tmp_path)
    assert [segment.session_id for segment in found.segments] == [
        "desk/zoe", "desk/zoe", "desk/ada", "desk/max",
    ]  # fmt: skip
    assert "Hello zoe." in json.dumps(dump(found.sft_rows[1]))
    assert "zoe" not in json.dumps(dump(found.sft_rows[2]))
    checked(found, tmp_path)


async def test_the_same_journal_gives_the_same_bytes(tmp_path: Path) -> None:
    await talk(
        tmp_path,
        ("How much?", [call_tool("price", product="A"), "4.80."]),
        ("What helps?", [call_tool("advise", product="A"), "A does."]),
    )
    await give(tmp_path, "How much?", correct="4.80 euros.")
    files = [
        write_rows(tmp_path / f"{number}.jsonl", (await collected(tmp_path)).sft_rows)
        for number in range(2)
    ]
    assert files[0].sha256 == files[1].sha256
    assert files[0].rows == 2


async def test_an_empty_journal_gives_no_rows(tmp_path: Path) -> None:
    assert await collected(tmp_path) == Collection(segments=(), dropped={})


@pytest.mark.requirement("S1-25")
async def test_keys_reach_no_row_unless_a_user_typed_them(tmp_path: Path) -> None:
    catalog, _ = desk([])
    async with StubServer(lambda _: "Hello.", key=_SECRET) as server:
        with use_catalog(catalog):
            add_completion(
                completion_name="wire",
                model="openai/any",
                base_url=server.base_url,
                api_key_env="SHOP_KEY",
            )
            add_completion(
                completion_name="wrong",
                model="openai/any",
                base_url=server.base_url,
                api_key_env="WRONG_KEY",
            )
            add_agent(agent_name="clerk", completion="wire", tools=["price"])
            add_agent(agent_name="other", completion="wrong")
            add_swarm(swarm_name="till", agent_list=["clerk"], default_agent="clerk")
            add_swarm(swarm_name="closed", agent_list=["other"], default_agent="other")
        keys = {"SHOP_KEY": _SECRET, "WRONG_KEY": _SECRET[::-1]}
        async with Host(catalog=catalog, home=tmp_path, environment=keys) as host:
            async with session("ada", "till", host=host) as chat:
                await chat.complete("Hello")
            async with session("ada", "closed", host=host) as chat:
                with pytest.raises(ProviderRefusedError):
                    await chat.complete("Hello")
    found = await collected(tmp_path)
    assert found.dropped == {"no_answer": 1}
    [text] = [json.dumps(dump(row)) for row in found.sft_rows]
    assert _SECRET not in text and _SECRET[::-1] not in text
    stored = _bytes_of(tmp_path)
    assert _SECRET.encode() not in stored and _SECRET[::-1].encode() not in stored
    await talk(tmp_path, (f"My key is {_SECRET}", ["Keep it to yourself."]))
    assert any(_SECRET in json.dumps(dump(r)) for r in (await collected(tmp_path)).sft_rows)


def _bytes_of(home: Path) -> bytes:
    """Return everything that the journal's files hold."""
    return b"".join(path.read_bytes() for path in home.glob("journal*"))


@pytest.mark.requirement("S0-02", "S0-03", "S0-05", "S0-06", "S0-07")
async def test_a_segment_knows_where_it_came_from(tmp_path: Path) -> None:
    await talk(tmp_path, ("How much?", [call_tool("price", "c1", product="A"), "4.80."]))
    await give(tmp_path, "How much?", rating=2, correct="It costs 4.80 euros.")
    found = await collected(tmp_path)
    async with journal(tmp_path) as database:
        (run,) = await list_runs(database)
    supervised, preference = found.samples
    assert supervised.row == found.sft_rows[0]
    assert preference.row == found.dpo_rows[0]
    origin = supervised.provenance
    assert origin == preference.provenance
    assert origin.source == "journal"
    assert (origin.session_id, origin.run_id) == ("desk/ada", run.run_id)
    assert (origin.client_id, origin.author, origin.agent_name) == ("ada", "ada", "seller")
    assert (origin.model, origin.strategy) == (run.model, "declared")
    assert (origin.status, origin.rating, origin.is_corrected) == ("answered", 2, True)
    # A correction is as new as what the person wrote.
    assert origin.at is not None and origin.at > run.started_at
    assert origin.seconds == run.seconds
    assert (origin.input_tokens, origin.output_tokens) == (
        run.usage.input_tokens,
        run.usage.output_tokens,
    )
    assert origin.cost == run.usage.known_cost


@pytest.mark.requirement("S0-43", "S0-44")
async def test_no_row_of_one_project_reaches_another(tmp_path: Path) -> None:
    for project, client_id in (("north", "ada"), ("south", "bob"), (None, "cy")):
        catalog, _ = desk([f"secret of {client_id}"])
        async with (
            Host(catalog=catalog, home=tmp_path, environment={}, project=project) as host,
            session(client_id, "desk", host=host) as chat,
        ):
            await chat.complete("Hello")
    with pytest.raises(DataError, match="several projects: 'north', 'south'"):
        await collected(tmp_path)
    for name, client_id in (("north", "ada"), ("south", "bob"), ("", "cy")):
        samples = (await collected(tmp_path, project=name)).samples
        assert [s.provenance.client_id for s in samples] == [client_id]
        assert [s.provenance.project for s in samples] == [name or None]
        text = encode_row(samples[0].row).decode()
        assert [who for who in ("ada", "bob", "cy") if f"secret of {who}" in text] == [client_id]
    both = await collected(tmp_path, project=["north", "south"])
    assert [s.provenance.project for s in both.samples] == ["north", "south"]


async def test_only_the_chosen_runs_are_collected(tmp_path: Path) -> None:
    await talk(tmp_path, ("One", ["1"]), ("Two", ["2"]), ("Three", ["3"]))
    async with journal(tmp_path) as database:
        three, two, one = await list_runs(database)
        found = await collect(database, runs=[one, three])
        assert [segment.answer for segment in found.segments] == ["1", "3"]
        later = await collect(database, since=two.started_at)
        assert [segment.answer for segment in later.segments] == ["2", "3"]
        assert (await collect(database, runs=[])).segments == ()
