"""A model that says what a test wrote down, and complains about everything else."""

from collections.abc import Callable, Sequence

import orjson

from swarm.completion import CompletionRequest, CompletionResult
from swarm.messages import Message, ToolCall

__all__ = ["ScriptError", "ScriptedCompletion", "Step", "call_tool"]

Step = str | Message | CompletionResult | Exception | Callable[[CompletionRequest], str | Message]
"""What the model does at one request: answer, raise, or decide by the request."""


class ScriptError(AssertionError):
    """The program asked the model more often, or less often, than the script says."""


def call_tool(name: str, tool_id: str = "", **arguments: object) -> Message:
    """Return the model's wish to call one tool; add messages' `tool_calls` up for several."""
    call = ToolCall(id=tool_id, name=name, arguments=orjson.dumps(arguments).decode())
    return Message(role="assistant", tool_calls=(call,))


class ScriptedCompletion:
    """Answers one step per request, in order.

    ```python
    model = ScriptedCompletion([call_tool("stock_level", sku="A1"), "There are 3."])
    add_completion(completion_name="model", get_completion=model)
    ...
    model.assert_complete()
    ```
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = list(steps)
        self.requests: list[CompletionRequest] = []
        """Every request that came, in order."""
        self._failure: ScriptError | None = None

    async def __call__(self, request: CompletionRequest) -> str | Message | CompletionResult:
        """Play the next step.

        Raises:
            ScriptError: There is none left.
        """
        self.requests.append(request)
        count = len(self.requests)
        if count > len(self._steps):
            last = request.messages[-1].content if request.messages else ""
            self._failure = ScriptError(
                f"unexpected request {count}: the script has {len(self._steps)} steps"
                f" (last message: {last!r})"
            )
            raise self._failure
        step = self._steps[count - 1]
        if isinstance(step, Exception):
            raise step
        if callable(step):
            return step(request)
        return step

    def assert_complete(self) -> None:
        """Check that every step was played, and no request came beyond them.

        Raises:
            ScriptError: It was not so.
        """
        if self._failure is not None:
            raise self._failure
        left = len(self._steps) - len(self.requests)
        if left > 0:
            raise ScriptError(f"{left} of {len(self._steps)} steps were not played")
