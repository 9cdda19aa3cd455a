"""`json`: attempts, reasons that reach the model, checks, deadlines, where it runs."""

import datetime
import logging
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import BaseModel, field_validator

import swarm
from swarm import (
    Catalog,
    CompletionRequest,
    CompletionResult,
    Host,
    Message,
    OutlineCallbacks,
    OutlineContext,
    OutlineResult,
    ToolContext,
    Usage,
    add_completion,
    add_outline,
    json,
    use_catalog,
)
from swarm.errors import (
    ProviderDownError,
    ProviderOutputError,
    ProviderTimeoutError,
    UnknownNameError,
    ValidationError,
)
from swarm.events import Noted
from swarm.outline import OutlineCallbackError, override_outline
from swarm.testing import ScriptedCompletion, call_tool
from tests.swarm.outline.program import ORDER, Outlines, reason_of
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio

GOOD = '{"sku": "A1", "boxes": 2}'
DATA = {"sku": "A1", "boxes": 2}


@pytest.mark.requirement("kit:outline:schema")
async def test_a_document_that_fits_is_the_result(outlines: Outlines) -> None:
    usage = Usage(input_tokens=7, output_tokens=3, priced_tokens=10)
    answer = CompletionResult(Message(role="assistant", content=GOOD), "stub/model", usage)
    script = outlines.declare([answer], prompt="You take orders.", system=["Be exact."])
    result = await outlines.fill("Two boxes of A1")
    assert (result.is_valid, result.data, result.error) == (True, DATA, None)
    assert (result.attempt, result.params, result.model) == (1, ("Two boxes of A1",), "stub/model")
    assert result.usage == usage
    system, user, assistant = result.history
    assert system.content.startswith("You take orders.\n\nBe exact.\n\n")
    assert '"boxes"' in system.content
    assert (user.role, user.content) == ("user", "Two boxes of A1")
    assert assistant.content == GOOD
    assert script.requests[0].response_format is not None
    assert script.requests[0].response_format.name == "order"


@pytest.mark.requirement("kit:outline:feedback")
@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("I would love to!", "no JSON object"),
        ("", "empty"),
        ('{"sku": "A1"}', "'boxes' is a required property"),
        ('{"sku": "A1", "boxes": 0}', "boxes: 0 is less than the minimum of 1"),
        ('{"sku": "A1", "boxes": 2', "delimiter"),
    ],
)
async def test_the_reason_reaches_the_model_in_the_same_history(
    outlines: Outlines, bad: str, reason: str
) -> None:
    script = outlines.declare([bad, GOOD])
    result = await outlines.fill("Two boxes of A1")
    assert (result.is_valid, result.attempt) == (True, 2)
    first, second = script.requests
    assert reason in reason_of(second)
    count = len(first.messages)
    assert list(second.messages[:count]) == list(first.messages)
    # A provider may refuse an assistant's message without text, so an empty answer is left out.
    echo = [m.content for m in second.messages[count:] if m.role == "assistant"]
    assert echo == ([bad] if bad else [])
    script.assert_complete()


@pytest.mark.requirement("kit:outline:attempts")
async def test_attempts_are_bounded_and_the_last_reason_is_the_error(outlines: Outlines) -> None:
    script = outlines.declare(["one", '{"sku": 1, "boxes": 1}', "{}"], max_attempts=3)
    result = await outlines.fill()
    assert (result.is_valid, result.data, result.attempt) == (False, None, 3)
    assert result.error == "'sku' is a required property; 'boxes' is a required property"
    assert result.history[-1].content == "{}"
    script.assert_complete()


async def test_an_answer_that_was_cut_off_says_so(outlines: Outlines) -> None:
    cut = CompletionResult(
        Message(role="assistant", content=GOOD[:-3]), "stub", finish_reason="length"
    )
    script = outlines.declare([cut, GOOD])
    assert (await outlines.fill()).is_valid
    assert "cut off before its end, so be shorter" in reason_of(script.requests[1])


async def test_a_long_bad_answer_is_shown_again_in_part(outlines: Outlines) -> None:
    script = outlines.declare(["x" * 100_000, GOOD])
    assert (await outlines.fill()).is_valid
    assert len(script.requests[1].messages[-2].content) < 30_000


async def test_of_several_objects_the_one_that_fits_counts(outlines: Outlines) -> None:
    outlines.declare([f'I take {GOOD}, as in {{"example": true}}.'])
    assert (await outlines.fill()).data == DATA


class Order(BaseModel):
    """An order as a program has it."""

    sku: str
    due: datetime.date

    @field_validator("sku")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value != "A1":
            raise ValueError("the only product is A1")
        return value


async def test_a_pydantic_model_gives_instances_and_its_own_checks(outlines: Outlines) -> None:
    steps = [
        '{"sku": "A1", "due": "tomorrow"}',
        '{"sku": "B2", "due": "2026-12-24"}',
        '{"sku": "A1", "due": "2026-12-24"}',
    ]
    seen: list[Order] = []
    script = outlines.declare(steps, format=Order, validations=[seen.append])
    result: OutlineResult[Order] = await outlines.fill()
    assert result.data == Order(sku="A1", due=datetime.date(2026, 12, 24))
    assert seen == [result.data]
    assert "due: " in reason_of(script.requests[1])
    assert "sku: the only product is A1" in reason_of(script.requests[2])
    wanted = script.requests[0].response_format
    assert wanted is not None and wanted.strict
    assert wanted.schema["additionalProperties"] is False


@pytest.mark.requirement("kit:outline:validations")
async def test_validations_refuse_by_a_reason_false_or_an_exception(outlines: Outlines) -> None:
    answers: list[Any] = [
        "no such sku",
        False,
        ValueError("sold out"),
        KeyError("boxes"),
        None,
    ]

    def first(data: dict[str, Any]) -> Any:
        assert data == DATA
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def second(data: dict[str, Any]) -> bool:
        return True

    script = outlines.declare([GOOD] * 5, validations=[first, second])
    assert (await outlines.fill()).attempt == 5
    told = [reason_of(request).splitlines()[0] for request in script.requests[1:]]
    assert told == [
        "This document is not valid: no such sku",
        "This document is not valid: first refused it",
        "This document is not valid: sold out",
        "This document is not valid: KeyError: 'boxes'",
    ]


@pytest.mark.requirement("kit:outline:history")
async def test_get_outline_history_gives_the_messages_of_each_attempt(outlines: Outlines) -> None:
    seen: list[OutlineContext] = []

    async def history(context: OutlineContext) -> list[Any]:
        seen.append(context)
        hint = [{"role": "user", "content": "Think!"}] if context.attempt > 1 else []
        return [f"Order: {context.params[0]}", Message(role="assistant", content="Well?"), *hint]

    script = outlines.declare(["no", GOOD], get_outline_history=history)
    result = await outlines.fill({"boxes": 2})
    assert [c.attempt for c in seen] == [1, 2]
    assert {c.result_id for c in seen} == {result.result_id}
    assert seen[0].format == ORDER
    assert [m.content for m in seen[1].history] == ["no", reason_of(script.requests[1])]
    said = [m.content for m in script.requests[1].messages[1:5]]
    assert said == ["Order: {'boxes': 2}", "Well?", "Think!", "no"]


async def test_without_a_history_each_parameter_is_a_message(outlines: Outlines) -> None:
    script = outlines.declare([GOOD, GOOD])
    await outlines.fill("Two boxes", {"of": ["A1"]}, Order(sku="A1", due=datetime.date.min))
    said = [m.content for m in script.requests[0].messages if m.role == "user"]
    assert said == ["Two boxes", '{"of":["A1"]}', '{"sku":"A1","due":"0001-01-01"}']
    await outlines.fill()
    assert [m.role for m in script.requests[1].messages] == ["system", "user"]


async def test_prompt_and_system_may_be_functions_and_flags_come_last(outlines: Outlines) -> None:
    async def system(outline_name: str) -> list[str]:
        return [outline_name.upper()]

    script = outlines.declare(
        [GOOD],
        prompt="On {}.".format,
        system=system,
        model={"flags": "/no_think", "json_mode": True},
    )
    await outlines.fill()
    text = script.requests[0].messages[0].content
    assert text.startswith("On order.\n\nORDER\n\n")
    assert text.endswith("}\n/no_think")


def _fails(_: object) -> Any:
    raise RuntimeError("out of order")


def _gives_number(_: object) -> Any:
    return 7


def _gives_numbers(_: object) -> Any:
    return [7]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"prompt": _fails},
            "^prompt '_fails' of outline 'order' failed: RuntimeError: out",
        ),
        ({"system": _gives_number}, "^system '_gives_number' .* returned int"),
        ({"system": _gives_numbers}, "returned list; return text"),
        ({"get_outline_history": _fails}, "^get_outline_history '_fails' .* out of order"),
        ({"get_outline_history": _gives_number}, "'_gives_number' .* messages are a list, not int"),
        ({"get_outline_history": _gives_numbers}, "messages.0: .* not int"),
        ({"validations": [_gives_number]}, "^validation '_gives_number' .* returned int"),
    ],
)
async def test_a_function_whose_result_is_used_is_named_when_it_fails(
    outlines: Outlines, fields: dict[str, Any], reason: str
) -> None:
    outlines.declare([GOOD], **fields)
    with pytest.raises(OutlineCallbackError, match=reason) as caught:
        await outlines.fill()
    assert caught.value.outline_name == "order"


@pytest.mark.requirement("kit:outline:callbacks")
async def test_callbacks_are_told_and_change_nothing(
    outlines: Outlines, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Any] = []

    def on_document(document: Any, context: OutlineContext) -> None:
        told.append((context.attempt, {**document}))
        document.clear()
        raise RuntimeError("a clumsy observer")

    async def on_attempt(context: OutlineContext) -> None:
        told.append(context.attempt)

    callbacks = OutlineCallbacks(
        on_attempt=on_attempt,
        on_document=on_document,
        on_valid_document=told.append,
        on_invalid_document=told.append,
    )
    outlines.declare(["no", "{}", GOOD, "no"], callbacks=callbacks)
    with caplog.at_level(logging.ERROR, logger="wikiswarm"):
        valid = await outlines.fill()
    assert told == [1, 2, (2, {}), 3, (3, DATA), valid]
    assert "callback 'on_document' of outline 'order' failed: RuntimeError: a clumsy" in caplog.text
    told.clear()
    with use_catalog(outlines.catalog), override_outline("order", max_attempts=1):
        invalid = await outlines.fill()
    assert not invalid.is_valid
    assert told == [1, invalid]


async def test_a_provider_that_fails_is_an_error_and_no_document(outlines: Outlines) -> None:
    down = ProviderDownError("no connection", provider="stub")
    outlines.declare(["no", down, ZeroDivisionError()])
    with pytest.raises(ProviderDownError, match="no connection"):
        await outlines.fill()
    with pytest.raises(ProviderOutputError, match="ZeroDivisionError"):
        await outlines.fill()


async def test_all_attempts_share_one_deadline(outlines: Outlines) -> None:
    async def model(request: CompletionRequest) -> str:
        if len(request.messages) > 2:
            await anyio.sleep_forever()
        return "no"

    outlines.declare(model={"get_completion": model}, timeout=0.2)
    with anyio.fail_after(5):
        with pytest.raises(ProviderTimeoutError, match=r"0\.2 s; 1 were refused.*no JSON"):
            await outlines.fill("Two boxes")


async def test_an_outline_that_nothing_declares_has_a_near_one(outlines: Outlines) -> None:
    outlines.declare()
    async with outlines.host() as host:
        with pytest.raises(UnknownNameError, match="did you mean 'order'"):
            await json("ordr", host=host)


async def test_a_declaration_with_problems_asks_nobody(outlines: Outlines) -> None:
    script = outlines.declare(
        format={"properties": {"a": {"$ref": "https://example.com/a"}}},
        model={"json_mode": False},
    )
    with pytest.raises(ValidationError) as caught:
        await outlines.fill()
    completion, reference = caught.value.problems
    assert completion.where == "outlines.order.completion"
    assert "agents only" in completion.message
    assert reference.where == "outlines.order.format.properties.a.$ref"
    assert "nothing is fetched" in reference.message
    assert script.requests == []


async def test_without_a_host_it_brings_its_own(outlines: Outlines, home: Path) -> None:
    outlines.declare([GOOD, GOOD])
    with use_catalog(outlines.catalog):
        assert (await json("order")).data == DATA
        async with Host(catalog=outlines.catalog, home=home, environment={}):
            assert (await swarm.json("order")).data == DATA


async def test_in_a_turn_it_uses_the_host_of_the_session_and_leaves_a_note(
    program: Program, tmp_path: Path
) -> None:
    async def order(context: ToolContext) -> str:
        """Take an order."""
        result = await json("order", "my secret wish")
        return f"{result.data}"

    program.agent(steps=[call_tool("order", tool_id="1"), "Done."], tools=[order])
    with use_catalog(program.catalog):
        writer = ScriptedCompletion(["no", GOOD])
        add_completion(completion_name="writer", get_completion=writer)
        add_outline(outline_name="order", completion="writer", format=ORDER)
    # A server's turns may run where another host, or none, is the open one.
    other = Host(catalog=Catalog(), home=tmp_path / "other", environment={})
    async with program.chat() as chat, other:
        assert await chat.complete("I want two") == "Done."
        output = next(m.content for m in chat.history.messages if m.role == "tool")
    assert output == str(DATA)
    (note,) = [e.event for e in await program.events() if isinstance(e.event, Noted)]
    assert note.topic == "outline.result"
    assert note.run_id is not None
    assert {key: note.data[key] for key in ("outline_name", "attempts", "is_valid")} == {
        "outline_name": "order",
        "attempts": 2,
        "is_valid": True,
    }
    assert "A1" not in note.model_dump_json() and "wish" not in note.model_dump_json()


async def test_outlines_are_filled_in_at_the_same_time(outlines: Outlines) -> None:
    async def model(request: CompletionRequest) -> str:
        await anyio.lowlevel.checkpoint()
        number = int(request.messages[1].content)
        # Each is refused once, so that histories would mix if anything was shared.
        return "no" if len(request.messages) == 2 else f'{{"sku": "A1", "boxes": {number}}}'

    outlines.declare(model={"get_completion": model})
    results: dict[int, OutlineResult[Any]] = {}

    async def fill(number: int, host: Host) -> None:
        results[number] = await json("order", number, host=host)

    async with outlines.host() as host, anyio.create_task_group() as tasks:
        for number in range(1, 51):
            tasks.start_soon(fill, number, host)
    assert all(results[n].data == {"sku": "A1", "boxes": n} for n in range(1, 51))
    assert len({result.result_id for result in results.values()}) == 50
