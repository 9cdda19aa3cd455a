"""Telemetry of turns: spans and metrics of the GenAI semantic conventions."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from swarm.completion import CompletionRequest, CompletionResult
from swarm.errors import require
from swarm.events import Answered
from swarm.messages import ToolCall, Usage
from swarm.runtime.tracing import Tracer, TurnStart, set_default_tracer
from swarm.telemetry.content import ContentOptions
from swarm.telemetry.names import (
    AGENT_BUCKETS,
    CALL_BUCKETS,
    TOKEN_BUCKETS,
    Names,
    read_model,
)
from swarm.telemetry.work import Quiet, Work

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import Histogram, MeterProvider
    from opentelemetry.trace import Span, SpanKind, TracerProvider

__all__ = ["Telemetry", "instrument", "uninstrument"]

P = ParamSpec("P")


class Telemetry:
    """Traces the turns of the hosts that it is given to.

    ```python
    async with Host(telemetry=Telemetry()) as host:
        ...
    ```

    Spans go to the tracer provider of the program, so a turn inside a span of the program's own
    is its child. What is said stays out of them unless `capture_content` asks for it.
    """

    def __init__(
        self,
        *,
        capture_content: bool = False,
        longest_content: int = 16_384,
        environment: Mapping[str, str] | None = None,
        tracer_provider: "TracerProvider | None" = None,
        meter_provider: "MeterProvider | None" = None,
    ) -> None:
        """Trace with these.

        Args:
            capture_content: Write questions, answers, arguments, outputs and the messages of
                errors into spans. They may hold personal data.
            longest_content: Characters of one captured text; a longer one is cut.
            environment: Where the keys are that no captured text may show; the process's
                environment and `.env` when absent.
            tracer_provider: Makes the spans; that of the process when absent.
            meter_provider: Makes the metrics; that of the process when absent.

        Raises:
            MissingExtraError: The extra `otel` is not installed.
        """
        require("opentelemetry.trace", extra="otel")
        from opentelemetry import metrics, trace
        from opentelemetry.context import create_key

        number = version("wikiswarm")

        self._content = ContentOptions.of(capture_content, longest_content, environment)
        self._quiet = Quiet()
        self._turn_key = create_key("wikiswarm-turn")
        self._tracer = trace.get_tracer("wikiswarm", number, tracer_provider)
        meter = metrics.get_meter("wikiswarm", number, meter_provider)
        self._tokens = meter.create_histogram(
            Names.TOKEN_USAGE,
            "{token}",
            "Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=TOKEN_BUCKETS,
        )

        def duration(name: str, what: str, buckets: tuple[float, ...]) -> "Histogram":
            return meter.create_histogram(
                name, "s", what, explicit_bucket_boundaries_advisory=buckets
            )

        self._calls = duration(Names.CALL_DURATION, "GenAI operation duration.", CALL_BUCKETS)
        self._turns = duration(Names.AGENT_DURATION, "Duration of a turn.", AGENT_BUCKETS)
        self._tools = duration(Names.TOOL_DURATION, "Duration of a tool call.", CALL_BUCKETS)

    def turn(self, start: TurnStart, /) -> AbstractContextManager[Callable[[Answered], None]]:
        """Span a turn; see `Tracer.turn`."""
        from opentelemetry import context
        from opentelemetry.trace import SpanKind

        model = read_model(start.model)
        attributes = {
            Names.OPERATION: "invoke_agent",
            Names.PROVIDER: model.provider,
            Names.REQUEST_MODEL: model.name,
            Names.AGENT: start.agent_name,
            Names.CONVERSATION: start.session_id,
            Names.SWARM: start.swarm_name,
            Names.RUN: start.run_id,
        }

        def begin() -> "tuple[Span, Context]":
            name = f"invoke_agent {start.agent_name}"
            span, inner = self._begin(name, SpanKind.INTERNAL, attributes)
            if span.is_recording():
                said = self._content.said(Names.INPUT_MESSAGES, "user", start.content)
                span.set_attributes(said)
            return span, context.set_value(self._turn_key, span, inner)

        def finish(span: "Span", answered: Answered) -> None:
            if span.is_recording():
                span.set_attribute(Names.ANSWERING_AGENT, answered.agent_name)
                span.set_attributes(_tokens(answered.usage))
                said = self._content.said(Names.OUTPUT_MESSAGES, "assistant", answered.text)
                span.set_attributes(said)

        labels = {Names.AGENT: start.agent_name}
        return self._work(begin, finish, self._turns, labels)

    def model_call(
        self,
        request: CompletionRequest,
        model: str,
        *,
        session_id: str | None = None,
        is_streamed: bool = False,
    ) -> AbstractContextManager[Callable[[CompletionResult], None]]:
        """Span a question to a model; see `Tracer.model_call`."""
        from opentelemetry.trace import SpanKind

        asked = read_model(model)
        labels: dict[str, Any] = {
            Names.OPERATION: "chat",
            Names.PROVIDER: asked.provider,
            Names.REQUEST_MODEL: asked.name,
        }
        attributes = dict(labels)
        if request.agent_name is not None:
            attributes[Names.AGENT] = request.agent_name
        if session_id is not None:
            attributes[Names.CONVERSATION] = session_id
        if is_streamed:
            attributes[Names.IS_STREAMED] = True

        def begin() -> "tuple[Span, Context]":
            span, inner = self._begin(f"chat {asked.name}", SpanKind.CLIENT, attributes)
            if span.is_recording():
                span.set_attributes(self._content.question(request.messages))
            return span, inner

        def finish(span: "Span", result: CompletionResult) -> None:
            # A fallback may have answered.
            labels[Names.RESPONSE_MODEL] = read_model(result.model).name
            self._count(result.usage, labels)
            if span.is_recording():
                span.set_attribute(Names.RESPONSE_MODEL, labels[Names.RESPONSE_MODEL])
                if result.finish_reason is not None:
                    span.set_attribute(Names.FINISH_REASONS, (result.finish_reason,))
                span.set_attributes(_tokens(result.usage) | self._content.answer(result))

        return self._work(begin, finish, self._calls, labels)

    def tool_call(
        self, call: ToolCall, *, agent_name: str, session_id: str, description: str = ""
    ) -> AbstractContextManager[Callable[[str, bool], None]]:
        """Span a tool call; see `Tracer.tool_call`."""
        from opentelemetry.trace import SpanKind

        labels = {Names.TOOL: call.name, Names.AGENT: agent_name, Names.TOOL_TYPE: "function"}
        attributes = {
            Names.OPERATION: "execute_tool",
            **labels,
            Names.TOOL_CALL: call.id,
            Names.CONVERSATION: session_id,
        }
        if description:
            attributes[Names.TOOL_DESCRIPTION] = description

        def begin() -> "tuple[Span, Context]":
            span, inner = self._begin(f"execute_tool {call.name}", SpanKind.INTERNAL, attributes)
            if span.is_recording():
                span.set_attributes(self._content.plain(Names.TOOL_ARGUMENTS, call.arguments))
            return span, inner

        def finish(span: "Span", output: str, is_error: bool) -> str | None:
            if span.is_recording():
                span.set_attributes(self._content.plain(Names.TOOL_RESULT, output))
            return "tool_error" if is_error else None

        return self._work(begin, finish, self._tools, labels)

    def hand_off(self, from_agent: str, to_agent: str) -> None:
        """Note a hand-off on the span of the turn; see `Tracer.hand_off`."""
        from opentelemetry import context, trace

        with self._quiet:
            span: Any = context.get_value(self._turn_key) or trace.get_current_span()
            names = {Names.FROM_AGENT: from_agent, Names.TO_AGENT: to_agent}
            span.add_event(Names.HAND_OFF, names)

    def _begin(
        self, name: str, kind: "SpanKind", attributes: Mapping[str, Any]
    ) -> "tuple[Span, Context]":
        from opentelemetry import trace

        # What samplers decide by must be there from the beginning.
        span = self._tracer.start_span(name, kind=kind, attributes=attributes)
        return span, trace.set_span_in_context(span)

    def _work(
        self,
        begin: "Callable[[], tuple[Span, Context]]",
        finish: "Callable[Concatenate[Span, P], str | None]",
        duration: "Histogram",
        labels: Mapping[str, Any],
    ) -> Work[P]:
        def record(seconds: float, error: str | None) -> None:
            duration.record(seconds, labels if error is None else {**labels, Names.ERROR: error})

        return Work(self._quiet, begin, finish, record, self._describe)

    def _describe(self, error: BaseException) -> str | None:
        # A provider's message may quote what it was asked.
        return self._content.text(str(error)) if self._content.is_captured else None

    def _count(self, usage: Usage, labels: Mapping[str, Any]) -> None:
        # Not every provider counts, and a zero would pass for a count.
        for kind, count in (("input", usage.input_tokens), ("output", usage.output_tokens)):
            if count:
                self._tokens.record(count, {**labels, Names.TOKEN_TYPE: kind})


def instrument(**options: Any) -> Telemetry:
    """Trace all hosts that are made from now on and given no telemetry of their own.

    Args:
        **options: Those of `Telemetry`.

    Raises:
        MissingExtraError: The extra `otel` is not installed.
    """
    telemetry = Telemetry(**options)
    tracer: Tracer = telemetry
    set_default_tracer(tracer)
    return telemetry


def uninstrument() -> None:
    """Trace no further hosts; those that are open go on."""
    set_default_tracer(None)


def _tokens(usage: Usage) -> dict[str, int]:
    counts = {
        Names.INPUT_TOKENS: usage.input_tokens,
        Names.OUTPUT_TOKENS: usage.output_tokens,
    }
    return {name: count for name, count in counts.items() if count}
