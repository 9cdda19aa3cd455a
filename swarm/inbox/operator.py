"""The completion of an operator: a person answers, whenever the person does.

The question lies in the inbox before anybody is told of it. The turn waits for the reply until
its deadline; a reply that comes later is brought to the conversation as a message of the agent.
"""

import asyncio  # noqa: TID251 - the loop to which replies from other threads come back
import functools
import inspect
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from swarm.completion import CompletionRequest, CompletionResult
from swarm.errors import SessionError
from swarm.inbox.errors import AlreadyDecidedError
from swarm.inbox.inbox import Inbox, clean_text
from swarm.inbox.item import InboxItem, NewItem
from swarm.inbox.questions import Questions
from swarm.inbox.watch import Watch
from swarm.messages import Message
from swarm.runtime.approval import call_named
from swarm.runtime.turn import Turn, current_turn
from swarm.specs import AgentSpec

if TYPE_CHECKING:
    from swarm.runtime.session import Session

__all__ = ["OPERATOR", "OperatorCompletion"]

OPERATOR = "operator"
"""The model that the journal names where a person has answered."""

_log = logging.getLogger("wikiswarm")


class OperatorCompletion:
    """Implements `Completion` for an agent whose answers a person writes."""

    def __init__(self, spec: AgentSpec, inbox: Inbox, watch: Watch) -> None:
        self._spec = spec
        self._inbox = inbox
        self._watch = watch
        self._questions = Questions()
        self._lines: WeakKeyDictionary[Session, Callable[..., Any]] = WeakKeyDictionary()
        """What `connect_operator` returned for each session."""

    @property
    def model(self) -> str:
        """How the journal names a person."""
        return OPERATOR

    async def complete(self, request: CompletionRequest) -> CompletionResult:
        """Return the person's reply; see `Completion.complete`.

        Raises:
            SessionError: No turn is running that the reply could belong to.
            CallbackError: `connect_operator`, or the function that it returned, raised.
            StoreError: The question could not be kept.
        """
        turn = current_turn.get()
        if turn is None:
            name = self._spec.agent_name
            raise SessionError(f"agent {name!r} is an operator, who answers in a turn only")
        new = self._questions.item(turn, self._spec.agent_name, request)
        # Whoever reads the question may rely on its being part of the conversation.
        await turn.session.flush()
        item = await self._post(new)
        with self._watch.waiting(item) as waiter:
            if item.reply is None:
                hang_up = await self._connect(turn, item)
                try:
                    item = await waiter.decided()
                finally:
                    await self._hang_up(hang_up)
            # Until the journal says that this turn has answered, the reply is not done with.
            await self._inbox.items.move(
                item.id, ("answered", "done"), reply={"taken_by": turn.run_id}
            )
        text = item.reply.text if item.reply else None
        return CompletionResult(Message(role="assistant", content=text or ""), OPERATOR)

    async def stream(
        self, request: CompletionRequest
    ) -> AsyncGenerator[str | CompletionResult, None]:
        """Yield the reply in one piece, then the answer; see `Completion.stream`."""
        result = await self.complete(request)
        yield result.message.content
        yield result

    async def _post(self, new: NewItem) -> InboxItem:
        """Post a question, or take the place of the same one that still waits."""
        known = await self._inbox.items.posted(new.key)
        if known is not None:
            return known
        waiting = await self._inbox.items.select(
            kind="question",
            status=("waiting",),
            session_id=new.session_id,
            agent_name=new.agent_name,
        )
        for item in waiting:
            # Whoever asks again after a timeout or a restart asks the person once.
            if item.payload.text == new.payload.text and not self._watch.is_awaited(item.id):
                same = await self._inbox.items.repost(item, new)
                if same is not None:
                    return same
        return await self._inbox.items.post(new)

    async def _connect(self, turn: Turn, item: InboxItem) -> object:
        """Pass the message on; returns what is to be called when nobody waits any more."""
        connect = self._spec.connect_operator
        if connect is None:
            return None
        names = {"client_id": turn.session.client_id, "agent_name": self._spec.agent_name}
        send = self._lines.get(turn.session)
        if send is None:
            send = await call_named(
                connect, *names.values(), field=f"connect_operator of {names['agent_name']!r}",
                **names,
            )  # fmt: skip
            self._lines[turn.session] = send
        return await call_named(
            send,
            item.payload.text,
            functools.partial(self._reply, asyncio.get_running_loop(), item.id),
            field=f"returned by connect_operator of {names['agent_name']!r}",
            **names,
        )

    async def _hang_up(self, function: object) -> None:
        if not callable(function):
            return
        try:
            # It only hears that nobody waits any more, so it must not hold the turn up.
            value: object = function()
            if inspect.isawaitable(value):
                left = cast("Awaitable[None]", value)  # what it gives does not matter
                self._watch.start_soon(lambda: left)
        except Exception:
            _log.exception("what connect_operator of %r left failed", self._spec.agent_name)

    def _reply(self, loop: asyncio.AbstractEventLoop, item_id: str, text: str) -> None:
        """Take the person's answer, from any thread, also long after the turn.

        Raises:
            WrongDecisionError: It is no text, or says nothing.
            SessionError: The host is closed; the question still lies in the inbox.
        """
        text = clean_text(text)
        job = functools.partial(self._keep, item_id, text)
        try:
            loop.call_soon_threadsafe(self._watch.start_soon, job)
        except RuntimeError:
            hint = f"reply with: wikiswarm inbox reply {item_id} TEXT"
            raise SessionError(f"the host is closed, and the question waits; {hint}") from None

    async def _keep(self, item_id: str, text: str) -> None:
        try:
            await self._inbox.reply(item_id, text, by=OPERATOR)
        except AlreadyDecidedError as error:
            _log.warning("a second reply of the operator was dropped: %s", error)
