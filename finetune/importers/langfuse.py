"""Langfuse's exports: of its public API (camel case), its pages, and its blob storage (snake case).

Known are traces with their observations, lists of observations, pages of either (`data`), and
sessions with their traces, as JSON or as JSONL. Generations are calls of models; a trace without
any is taken as one call itself.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from pydantic import JsonValue

from finetune.importers.importing import Call

__all__ = ["read_calls"]

_Json = Mapping[str, JsonValue]


def read_calls(values: Iterable[JsonValue], rating_score: str = "rating") -> list[Call]:
    """Return the calls of a file, in the order of their times.

    Args:
        values: What the file holds.
        rating_score: The name of the score that holds a rating from 1 to 5.
    """
    found = _Export()
    for value in values:
        found.take(value)
    ratings = _ratings(found.scores, rating_score)
    calls: list[Call] = []
    answered: set[str] = set()
    for item in found.generations.values():
        trace_id = _text(item, "traceId", "trace_id")
        answered.add(trace_id)
        calls.append(_call(item, found.traces.get(trace_id, {}), trace_id, ratings))
    for trace_id, trace in found.traces.items():
        if trace_id not in answered and _get(trace, "output") is not None:
            calls.append(_call(trace, trace, trace_id, ratings))
    return sorted(calls, key=lambda call: (call.origin.get("at") or 0.0, call.origin["run_id"]))


class _Export:
    """Everything that a file holds, by id; the same thing may be in it several times."""

    def __init__(self) -> None:
        self.traces: dict[str, dict[str, JsonValue]] = {}
        self.generations: dict[str, _Json] = {}
        self.scores: list[_Json] = []

    def take(self, value: JsonValue, trace_id: str | None = None) -> None:
        if isinstance(value, list):
            for item in value:
                self.take(item, trace_id)
            return
        if not isinstance(value, dict):
            return
        if isinstance(value.get("trace"), dict):
            self.take(value["trace"])
            inner = cast("dict[str, JsonValue]", value["trace"])
            trace_id = _text(inner, "id") or trace_id
        name = _text(value, "id")
        if _is_observation(value):
            if _text(value, "type").upper() == "GENERATION":
                belongs = {} if trace_id is None else {"traceId": trace_id}
                self.generations[name] = {**belongs, **value}
            return
        if "value" in value and "name" in value and ("traceId" in value or "trace_id" in value):
            self.scores.append(value)
            return
        if name and ("input" in value or "output" in value or "observations" in value):
            self.traces.setdefault(name, {}).update(value)
            trace_id = name
        for key in ("data", "traces", "observations", "scores"):
            self.take(value.get(key), trace_id)


def _is_observation(value: _Json) -> bool:
    return "type" in value and ("startTime" in value or "start_time" in value)


def _call(item: _Json, trace: _Json, trace_id: str, ratings: Mapping[str, int]) -> Call:
    asked, answered = _get(item, "input"), _get(item, "output")
    parameters = _get(item, "modelParameters", "model_parameters")
    tools: JsonValue = None
    for place in (asked, parameters, _get(item, "metadata")):
        if isinstance(place, dict) and tools is None:
            tools = place.get("tools")
    tools = _get(item, "toolDefinitions", "tool_definitions") if tools is None else tools
    session = _text(item, "sessionId", "session_id") or _text(trace, "sessionId", "session_id")
    user = _text(item, "userId", "user_id") or _text(trace, "userId", "user_id")
    start = _time(item, "startTime", "start_time", "timestamp")
    end = _time(item, "endTime", "end_time")
    usage = _get(item, "usageDetails", "usage_details") or _get(item, "usage")
    name = _text(item, "id")
    is_failed = _text(item, "level").upper() == "ERROR"
    origin: dict[str, Any] = {
        "session_id": session or trace_id or None,
        "run_id": name or None,
        "client_id": user[:256] or None,
        "author": user[:256] or None,
        "agent_name": _text(trace, "name") or None,
        "model": _text(item, "model", "provided_model_name", "providedModelName") or None,
        "status": "failed" if is_failed else "answered",
        "rating": ratings.get(name) or ratings.get(trace_id),
        "at": start,
        "seconds": end - start if start is not None and end is not None else None,
        "input_tokens": _count(usage, "input", "promptTokens", "prompt_tokens"),
        "output_tokens": _count(usage, "output", "completionTokens", "completion_tokens"),
        "cost": _cost(item),
    }
    if origin["run_id"] is None:
        origin["run_id"] = trace_id
    return Call(
        conversation=session or trace_id,
        question=[asked],
        answer=[] if answered is None or is_failed else [answered],
        tools=tools,
        origin=origin,
    )


def _ratings(scores: Iterable[_Json], name: str) -> dict[str, int]:
    """Return ratings by observation, or by trace."""
    found: dict[str, int] = {}
    for score in scores:
        value = score.get("value")
        whole = isinstance(value, int | float) and value in (1, 2, 3, 4, 5)
        if score.get("name") == name and whole:
            place = _text(score, "observationId", "observation_id")
            found[place or _text(score, "traceId", "trace_id")] = int(cast("float", value))
    return found


def _get(value: _Json, *names: str) -> JsonValue:
    return next((value[name] for name in names if value.get(name) is not None), None)


def _text(value: _Json, *names: str) -> str:
    found = _get(value, *names)
    return found if isinstance(found, str) else ""


def _time(value: _Json, *names: str) -> float | None:
    text = _text(value, *names)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    # Blob storage writes UTC without saying so.
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _count(usage: JsonValue, *names: str) -> int | None:
    found = _get(usage, *names) if isinstance(usage, dict) else None
    return int(found) if isinstance(found, int | float) and found >= 0 else None


def _cost(item: _Json) -> float | None:
    details = _get(item, "costDetails", "cost_details")
    found = details.get("total") if isinstance(details, dict) else None
    if found is None:
        found = _get(item, "totalCost", "total_cost", "calculatedTotalCost")
    return float(found) if isinstance(found, int | float) else None
