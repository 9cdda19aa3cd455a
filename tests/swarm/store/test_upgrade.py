"""A journal that an earlier version wrote is read and continued."""

import pytest
import sqlalchemy as sa

from swarm import change_to_prev_agent, get_raw_history
from swarm.events import TurnEnded
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio

# As 0.1.0 wrote them before turns carried the total of their conversation and hand-offs the way
# back; its process was killed in the middle of the last turn.
_ROWS = (
    (
        "session_opened",
        '{"swarm_name":"shop","client_id":"client","agent_name":"a","version":"0.1.0"}',
    ),
    (
        "turn_started",
        '{"run_id":"6a72ea14e2e0","agent_name":"a",'
        '"message":{"role":"user","content":"1","payload":{"k":1}}}',
    ),
    (
        "agent_configured",
        '{"agent_name":"a","model":"python:ScriptedCompletion","system":[],'
        '"tools":[{"name":"tool","description":"T.","parameters":{"type":"object"}}]}',
    ),
    (
        "message_added",
        '{"run_id":"6a72ea14e2e0","message":{"role":"assistant","agent_name":"a",'
        '"tool_calls":[{"id":"call-0","name":"tool"}]},'
        '"model":"m","usage":{"input_tokens":3,"output_tokens":2}}',
    ),
    (
        "message_added",
        '{"run_id":"6a72ea14e2e0","message":{"role":"tool","content":"x","agent_name":"a",'
        '"tool_call_id":"call-0"},"seconds":0.000134}',
    ),
    (
        "message_added",
        '{"run_id":"6a72ea14e2e0","message":{"role":"assistant","content":"one","agent_name":"a"},'
        '"model":"m","usage":{"input_tokens":5,"output_tokens":2}}',
    ),
    (
        "turn_ended",
        '{"run_id":"6a72ea14e2e0","agent_name":"a","status":"answered","answer":"one",'
        '"usage":{"input_tokens":8,"output_tokens":4},"seconds":0.003285}',
    ),
    (
        "turn_started",
        '{"run_id":"8929bf05e1b5","agent_name":"a","message":{"role":"user","content":"2"}}',
    ),
    (
        "agent_changed",
        '{"run_id":"8929bf05e1b5","from_agent":"a","to_agent":"b"}',
    ),
    (
        "message_added",
        '{"run_id":"8929bf05e1b5","message":{"role":"assistant","agent_name":"b",'
        '"tool_calls":[{"id":"call-0","name":"tool"}]},'
        '"model":"m","usage":{"input_tokens":7,"output_tokens":1}}',
    ),
)


async def test_a_conversation_of_an_earlier_version_goes_on(program: Program) -> None:
    program.agent("a")
    model = program.agent("b", ["three"])
    program.swarm()
    async with program.host() as host:
        insert = sa.insert(host.database.tables.events)
        rows = [
            {"session_id": "shop/client", "seq": seq, "kind": kind, "payload": payload, "at": seq}
            for seq, (kind, payload) in enumerate(_ROWS, 1)
        ]
        await host.database.run(lambda connection: connection.execute(insert, rows))
    async with program.chat() as chat:
        assert (chat.agent_name, chat.stack) == ("b", ())
        assert (chat.total.input_tokens, chat.total.output_tokens) == (15, 5)
        assert await chat.complete("3") == "three"
        assert [m.content for m in model.requests[0].messages] == [
            "1", "one", "2", "[This message got no answer: turn interrupted]", "3",
        ]  # fmt: skip
        assert await change_to_prev_agent("client")
        assert chat.agent_name == "a"
        assert len(await get_raw_history("client")) == 8
    ends = [row.event for row in await program.events() if isinstance(row.event, TurnEnded)]
    assert [end.status for end in ends] == ["answered", "interrupted", "answered"]
    assert [end.total.input_tokens for end in ends if end.total] == [15, 15]
