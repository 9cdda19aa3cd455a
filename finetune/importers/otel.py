"""OpenTelemetry's GenAI traces: OTLP as JSON, as collectors and our own telemetry write it.

Content is read from attributes of spans (`gen_ai.input.messages`, `gen_ai.output.messages`,
`gen_ai.system_instructions`), and from events, on spans or as log records: those of the older
conventions (`gen_ai.user.message`, `gen_ai.choice` and so on) and the one of the newer.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from pydantic import JsonValue

from finetune.dataset.json_text import JsonTextError, parse
from finetune.importers.importing import Call

__all__ = ["read_calls"]

_Attributes = dict[str, JsonValue]
_MODEL_CALLS = frozenset({"chat", "text_completion", "generate_content"})
_OLD = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_NANO = 1_000_000_000


class _Span:
    """A span with the events that belong to it, its own and log records."""

    def __init__(self, value: Mapping[str, JsonValue], resource: _Attributes) -> None:
        self.id = str(value.get("spanId") or "")
        self.trace_id = str(value.get("traceId") or "")
        self.start = _nano(value.get("startTimeUnixNano"))
        self.end = _nano(value.get("endTimeUnixNano"))
        self.attributes = resource | _attributes(value.get("attributes"))
        status = value.get("status")
        code = status.get("code") if isinstance(status, dict) else None
        self.is_failed = code in (2, "STATUS_CODE_ERROR")
        self.events = [_event(event) for event in _objects(value.get("events"))]


def read_calls(values: Iterable[JsonValue]) -> list[Call]:
    """Return the calls of a file, in the order of their times.

    Args:
        values: What the file holds, such as one `{"resourceSpans": [...]}` for each line.
    """
    spans: dict[tuple[str, str], _Span] = {}
    logs: defaultdict[tuple[str, str], list[tuple[str, _Attributes]]] = defaultdict(list)
    for value in values:
        for span in _spans(value):
            spans[span.trace_id, span.id] = span
        for key, event in _log_records(value):
            logs[key].append(event)
    for key, events in logs.items():
        if key in spans:
            spans[key].events += events
    calls = [(span, call) for span in spans.values() if (call := _call(span)) is not None]
    inner = [span for span, call in calls if _operation(span) in _MODEL_CALLS and call.answer]
    told = {span.trace_id for span in inner}
    # A turn's own span says less than the model calls inside it.
    kept = [
        (span, call)
        for span, call in calls
        if _operation(span) in _MODEL_CALLS or span.trace_id not in told
    ]
    kept.sort(key=lambda pair: (pair[0].start or 0.0, pair[0].id))
    return [call for _, call in kept]


def _operation(span: _Span) -> JsonValue:
    return span.attributes.get("gen_ai.operation.name", "chat")


def _call(span: _Span) -> Call | None:
    if not any(key.startswith("gen_ai.") for key in span.attributes):
        return None
    if _operation(span) not in {*_MODEL_CALLS, "invoke_agent"}:
        return None
    known = span.attributes
    question: list[JsonValue] = []
    answer: list[JsonValue] = []
    tools: JsonValue = None
    for name, event in [("", known), *span.events]:
        if (role := _OLD.get(name)) is not None:
            question.append(_old_message(event, role))
        elif name == "gen_ai.choice":
            answer.append(_old_message(_inner(event), "assistant"))
        elif name in ("gen_ai.content.prompt", "gen_ai.content.completion"):
            kind = name.rpartition(".")[2]
            place = question if kind == "prompt" else answer
            place.append(_value(event.get(f"gen_ai.{kind}")))
        elif name in ("", "gen_ai.client.inference.operation.details"):
            question += _said(event)
            answer += _list(_value(event.get("gen_ai.output.messages")))[:1]
            tools = _value(event.get("gen_ai.tool.definitions")) if tools is None else tools
    user = _text(known, "user.id", "enduser.id")
    run_id = _text(known, "wikiswarm.run.id") or f"{span.trace_id}:{span.id}"
    timed = span.start is not None and span.end is not None
    origin: dict[str, Any] = {
        "session_id": _text(known, "gen_ai.conversation.id", "session.id") or span.trace_id or None,
        "run_id": run_id,
        "client_id": user[:256] or None,
        "author": user[:256] or None,
        "agent_name": _text(known, "gen_ai.agent.name") or None,
        "model": _text(known, "gen_ai.response.model", "gen_ai.request.model") or None,
        "status": "failed" if span.is_failed else "answered",
        "at": span.start,
        "seconds": (span.end or 0) - (span.start or 0) if timed else None,
        "input_tokens": _number(known, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
        "output_tokens": _number(
            known, "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"
        ),
    }
    conversation = _text(known, "gen_ai.conversation.id") or span.trace_id
    return Call(
        conversation, question, [] if span.is_failed else answer, tools=tools, origin=origin
    )


def _said(event: _Attributes) -> list[JsonValue]:
    """Return what the newer conventions say a model was sent."""
    messages = _list(_value(event.get("gen_ai.input.messages")))
    parts = _list(_value(event.get("gen_ai.system_instructions")))
    texts = [str(p.get("content", "")) for p in parts if isinstance(p, dict)]
    system: list[JsonValue] = [{"role": "system", "content": "\n".join(texts)}] if texts else []
    return [*system, *messages]


def _old_message(event: _Attributes, role: str) -> JsonValue:
    """Return the message of an event, whose content is in its body or in its attributes."""
    message = {key.removeprefix("gen_ai.event."): _value(item) for key, item in event.items()}
    kept = {k: v for k, v in message.items() if k in ("content", "tool_calls", "id", "parts")}
    return {**kept, "role": message.get("role") or role}


def _inner(event: _Attributes) -> _Attributes:
    message = _value(event.get("message"))
    return message if isinstance(message, dict) else event


def _spans(value: JsonValue) -> Iterator[_Span]:
    if not isinstance(value, dict):
        return
    for resource in _objects(value.get("resourceSpans")):
        about = resource.get("resource")
        known = _attributes(about.get("attributes")) if isinstance(about, dict) else {}
        for scope in _objects(resource.get("scopeSpans")):
            for span in _objects(scope.get("spans")):
                yield _Span(span, known)


def _log_records(
    value: JsonValue,
) -> Iterator[tuple[tuple[str, str], tuple[str, _Attributes]]]:
    if not isinstance(value, dict):
        return
    for resource in _objects(value.get("resourceLogs")):
        for scope in _objects(resource.get("scopeLogs")):
            for record in _objects(scope.get("logRecords")):
                key = (str(record.get("traceId") or ""), str(record.get("spanId") or ""))
                yield key, _event(record)


def _event(value: Mapping[str, JsonValue]) -> tuple[str, _Attributes]:
    """Return the name of an event, and its attributes with those of its body."""
    known = _attributes(value.get("attributes"))
    body = _any_value(value.get("body"))
    if isinstance(body, dict):
        known |= body
    name = value.get("eventName") or value.get("name") or known.get("event.name")
    return str(name or ""), known


def _attributes(value: JsonValue) -> _Attributes:
    return {str(item.get("key")): _any_value(item.get("value")) for item in _objects(value)}


def _any_value(value: JsonValue) -> JsonValue:
    """Return what OTLP's `AnyValue` holds."""
    if not isinstance(value, dict):
        return value
    if isinstance(inner := value.get("arrayValue"), dict):
        return [_any_value(item) for item in _list(inner.get("values"))]
    if isinstance(inner := value.get("kvlistValue"), dict):
        return cast("JsonValue", _attributes(inner.get("values")))
    if (number := value.get("intValue")) is not None:
        return int(number) if isinstance(number, str | int) else None
    return next((value[k] for k in ("stringValue", "boolValue", "doubleValue") if k in value), None)


def _value(value: JsonValue) -> JsonValue:
    """Return an attribute that may be structured, or JSON in a text."""
    if isinstance(value, str) and value.lstrip().startswith(("[", "{")):
        try:
            return parse(value)
        except JsonTextError:
            return value
    return value


def _objects(value: JsonValue) -> Iterator[Mapping[str, JsonValue]]:
    yield from (item for item in _list(value) if isinstance(item, dict))


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _text(attributes: _Attributes, *names: str) -> str:
    found = next((v for name in names if isinstance(v := attributes.get(name), str) and v), "")
    return found


def _number(attributes: _Attributes, *names: str) -> int | None:
    return next((v for name in names if isinstance(v := attributes.get(name), int)), None)


def _nano(value: JsonValue) -> float | None:
    try:
        return int(cast("str", value)) / _NANO
    except (TypeError, ValueError):
        return None
