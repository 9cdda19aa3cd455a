"""Amounts, limits and models in plain words."""

import inspect
from collections.abc import Sequence

from declarative.describe.writer import Writer
from swarm import Callback, CompletionSpec
from swarm.catalog import COMPLETIONS
from swarm.schema import describe_function
from swarm.specs import BudgetSpec

__all__ = [
    "about_function",
    "answers",
    "bullets",
    "by_function",
    "completion_source",
    "count",
    "joined",
    "limits",
    "model",
    "money",
    "seconds",
]

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def count(number: int, noun: str) -> str:
    """Return a number of things: `1 message`, `1,200 messages`."""
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else many}"


def seconds(value: float) -> str:
    """Return a time in the largest unit that fits: `2 minutes`, `1.5 seconds`."""
    for size, noun in _UNITS:
        if value >= size and value % size == 0:
            return count(int(value // size), noun)
    return "1 second" if value == 1 else f"{value:,.12g} seconds"


def money(dollars: float) -> str:
    """Return an amount of US dollars, however small."""
    if dollars == round(dollars, 2):
        return f"${dollars:,.2f}"
    return f"${dollars:.8f}".rstrip("0")


def joined(parts: Sequence[str], word: str = "and") -> str:
    """Return parts as a sentence lists them: `a, b and c`."""
    *first, last = parts
    return f"{', '.join(first)} {word} {last}" if first else last


def limits(budget: BudgetSpec) -> list[str]:
    """Return what may be spent, a text for each span of time."""
    turn, whole = list[str](), list[str]()
    if budget.turn_tokens is not None:
        turn.append(count(budget.turn_tokens, "token"))
    if budget.turn_cost is not None:
        turn.append(money(budget.turn_cost))
    if budget.turn_seconds is not None:
        turn.append(seconds(budget.turn_seconds))
    if budget.session_tokens is not None:
        whole.append(count(budget.session_tokens, "token"))
    if budget.session_cost is not None:
        whole.append(money(budget.session_cost))
    said = [f"at most {joined(turn)} for one answer"] if turn else []
    return said + ([f"at most {joined(whole)} for a whole conversation"] if whole else [])


def about_function(writer: Writer, function: Callback) -> str:
    """Return a function's name, with what its docstring says of it."""
    note = describe_function(function) if inspect.isroutine(function) else ""
    name = writer.function(function)
    return f"{name}: {writer.text(note)}" if note else name


def by_function(writer: Writer, function: Callback) -> str:
    """Return the end of a sentence whose work a function does."""
    said = about_function(writer, function)
    return f"the function {said}{'' if said.endswith(('.', '!', '?')) else '.'}"


def model(writer: Writer, reference: str) -> str:
    """Return what a model reference stands for."""
    if reference == "offline":
        return f"{writer.code(reference)} (no model: it compares words and picks a tool)"
    if reference.startswith("python:"):
        return f"the function {writer.code(reference.removeprefix('python:'))}"
    kinds = {"registry": "the fine-tuned model", "gguf": "the model file"}
    kind = kinds.get(reference.partition("/")[0], "the model")
    return f"{kind} {writer.code(reference)}"


def completion_source(writer: Writer, spec: CompletionSpec, fallbacks: int | None = None) -> str:
    """Return what answers for a completion, and what does when that cannot."""
    if spec.get_completion is not None:
        said = f"the function {writer.function(spec.get_completion)}"
    else:
        said = model(writer, spec.model or "")
    others = [model(writer, reference) for reference in spec.fallbacks[:fallbacks]]
    return f"{said}; when that fails, {', then '.join(others)}" if others else said


def answers(writer: Writer, name: str, fallbacks: int | None = None) -> str:
    """Return a completion's name and what answers for it, with so many of its fallbacks."""
    said = writer.link(COMPLETIONS, name)
    if name not in writer.catalog.completions:
        return said
    return f"{said}, {completion_source(writer, writer.catalog.completions.get(name), fallbacks)}"


def bullets(facts: Sequence[tuple[str, str]]) -> str:
    """Return a list of facts, each with what it is about."""
    return "\n".join(
        f"- **{about}**:{'' if fact[:1].isspace() else ' '}{fact}" for about, fact in facts
    )
