"""The view of a history: for every conversation that can happen, what a model is shown of it."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm import Message, ToolCall
from swarm.events import Event, Failure, MessageAdded, TurnEnded, TurnStarted, TurnStatus
from swarm.runtime import History

STATUSES: list[TurnStatus] = ["answered", "answered", "failed", "interrupted"]
AGENTS = ("seller", "clerk")
_TEXT = st.sampled_from(["yes", "no", ""])


@dataclass
class _Turn:
    """A turn as the runtime records it, and what a test wants to know of it."""

    events: list[Event] = field(default_factory=list[Event])
    status: TurnStatus = "answered"


@st.composite
def _turns(draw: st.DrawFn) -> list[_Turn]:
    turns: list[_Turn] = []
    reuses_ids = draw(st.booleans())
    for number in range(draw(st.integers(1, 5))):
        run_id = f"run-{number}"
        status = draw(st.sampled_from(STATUSES))
        turn = _Turn(status=status)

        def add(message: Message, run_id: str = run_id, turn: _Turn = turn) -> None:
            turn.events.append(MessageAdded(run_id=run_id, message=message))

        question = Message(role="user", content=f"question {number}")
        turn.events.append(TurnStarted(run_id=run_id, agent_name="seller", message=question))
        agent = "seller"
        for step in range(draw(st.integers(0, 4))):
            agent = draw(st.sampled_from(AGENTS))
            prefix = "" if reuses_ids else f"{number}-"
            calls = tuple(
                ToolCall(id=f"{prefix}{step}-{place}", name=f"of_{agent}")
                for place in range(draw(st.integers(0, 3)))
            )
            text = draw(_TEXT)
            add(Message(role="assistant", content=text, agent_name=agent, tool_calls=calls))
            if draw(st.booleans()):
                add(Message(role="user", content="go on", mode="tool", agent_name=agent))
            for call in draw(st.permutations(calls)):
                if draw(st.integers(0, 9)):
                    output = Message(
                        role="tool",
                        content=f"output {number}",
                        tool_call_id=call.id,
                        agent_name=agent,
                    )
                    add(output)
        if status == "answered":
            add(Message(role="assistant", content=f"answer {number}", agent_name=agent))
        failure = None if status == "answered" else Failure(code="turn_timeout", message="late")
        is_open = number > 0 and draw(st.integers(0, 9)) == 0
        if not is_open:
            ended = TurnEnded(run_id=run_id, agent_name=agent, status=status, failure=failure)
            turn.events.append(ended)
        turns.append(turn)
        if is_open:
            break
    return turns


def _history(turns: list[_Turn], *, keep: int) -> History:
    history = History(keep=keep)
    for turn in turns:
        for event in turn.events:
            history.apply(event)
    return history


@pytest.mark.requirement("kit:history:pairs")
@given(turns=_turns(), keep=st.integers(1, 12), window=st.integers(1, 60))
def test_calls_and_outputs_come_whole_and_side_by_side(
    turns: list[_Turn], keep: int, window: int
) -> None:
    view = _history(turns, keep=window).view("seller", keep=keep)
    place = 0
    while place < len(view):
        message = view[place]
        assert message.role != "tool", "an output without its call"
        outputs = view[place + 1 : place + 1 + len(message.tool_calls)]
        assert [m.tool_call_id for m in outputs] == [call.id for call in message.tool_calls]
        assert all(m.role == "tool" for m in outputs)
        place += 1 + len(outputs)


@given(turns=_turns(), keep=st.integers(1, 12), window=st.integers(1, 60))
def test_outputs_are_those_of_the_same_turn(turns: list[_Turn], keep: int, window: int) -> None:
    view = _history(turns, keep=window).view("seller", keep=keep)
    number = None
    for message in view:
        if message.role == "user" and message.mode == "user":
            number = message.content.removeprefix("question ")
        elif message.role == "tool" and number is not None:
            assert message.content == f"output {number}"


@pytest.mark.requirement("kit:history:window")
@given(turns=_turns(), keep=st.integers(1, 12), window=st.integers(1, 60))
def test_the_newest_question_is_always_there(turns: list[_Turn], keep: int, window: int) -> None:
    view = _history(turns, keep=window).view("seller", keep=keep)
    questions = [m.content for m in view if m.role == "user" and m.mode == "user"]
    assert questions[-1] == f"question {len(turns) - 1}"


@given(turns=_turns(), keep=st.integers(1, 12))
def test_other_agents_tool_traffic_is_never_shown(turns: list[_Turn], keep: int) -> None:
    view = _history(turns, keep=60).view("seller", keep=keep)
    assert {m.agent_name for m in view if m.role == "tool"} <= {"seller"}
    assert {call.name for m in view for call in m.tool_calls} <= {"of_seller"}


@given(turns=_turns(), keep=st.integers(1, 12))
def test_failed_turns_leave_their_question_and_one_line(turns: list[_Turn], keep: int) -> None:
    history = _history(turns, keep=200)
    for agent in AGENTS:
        view = history.view(agent, keep=200)
        for number, turn in enumerate(turns):
            ended = turn.events[-1].kind == "turn_ended"
            if turn.status == "answered" or not ended:
                continue
            place = next(i for i, m in enumerate(view) if m.content == f"question {number}")
            assert view[place + 1].content == "[This message got no answer: turn timeout]"
            following = view[place + 2 : place + 3]
            assert all(m.role == "user" and m.mode == "user" for m in following)


@given(turns=_turns(), keep=st.integers(1, 12))
def test_the_window_is_kept_beyond_the_newest_question(turns: list[_Turn], keep: int) -> None:
    view = _history(turns, keep=200).view("seller", keep=keep)
    newest = max(i for i, m in enumerate(view) if m.role == "user" and m.mode == "user")
    # The block that crosses the limit is whole: a call with at most three outputs here.
    assert newest <= max(0, keep - 1) + 3
    whole = _history(turns, keep=200).view("seller", keep=1000)
    assert view == whole[len(whole) - len(view) :]
    if len(view) < len(whole):
        assert view[0].role == "user"


@given(turns=_turns(), window=st.integers(1, 20))
def test_memory_is_bounded_by_the_window_or_one_turn(turns: list[_Turn], window: int) -> None:
    history = _history(turns, keep=window)
    longest = max(len(turn.events) for turn in turns)
    assert len(history.messages) <= max(window, longest)


@pytest.mark.requirement("kit:history:empty-dropped")
def test_empty_words_take_no_place() -> None:
    history = History(keep=10)
    question = Message(role="user", content="hi")
    history.apply(TurnStarted(run_id="r", agent_name="seller", message=question))
    empty = Message(role="assistant", content="", agent_name="seller")
    history.apply(MessageAdded(run_id="r", message=empty))
    assert history.view("seller", keep=10) == [question]
    assert history.last_user_message() == question
    assert History(keep=3).last_user_message() is None
    assert History(keep=3).view("seller", keep=3) == []
