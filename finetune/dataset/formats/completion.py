"""Prompt and completion, as plain text; a template says how a question becomes a prompt.

Spaces are kept as they are: `" Paris."` stays with its leading space.
"""

import re
from functools import partial

from pydantic import JsonValue

from finetune.dataset.formats.fields import dropped_fields, text_field
from finetune.dataset.formats.format import Encoded, Format, JsonObject, Translated
from finetune.dataset.formats.loss import Loss, RowRefusedError
from finetune.dataset.formats.turns import exchanges, plain_turns, tool_losses
from finetune.dataset.problem import DatasetError, Problem
from finetune.dataset.rows import AssistantMessage, DatasetKind, DpoRow, SftRow

__all__ = ["COMPLETION", "completion_format"]

_NAMES = frozenset({"system", "question", "answer"})
_NAME = re.compile(r"\{([^{}]*)\}")


def completion_format(template: str | None = None) -> Format:
    r"""Return the format with a template for its prompts.

    Args:
        template: Text with `{question}` and `{answer}`, and `{system}` where system messages
            are to be kept: `"Question: {question}\nAnswer: {answer}"`. What stands before
            `{answer}` is the prompt. Earlier exchanges are written with the same template.
            Without a template the question is the prompt.

    Raises:
        DatasetError: The template lacks a name or has an unknown one.
    """
    if template is not None:
        _check(template)
    write = partial(_write, template)
    return Format("completion", ("sft",), False, _recognise, _read, write)


def _check(template: str) -> None:
    names = _NAME.findall(template)
    unknown = sorted(set(names) - _NAMES)
    reason = ""
    if unknown:
        reason = f"the template names {{{unknown[0][:40]}}}; it may name question, answer, system"
    elif names.count("question") != 1 or names.count("answer") != 1:
        reason = "the template names {question} and {answer} once each"
    elif names[-1] != "answer":
        reason = "{answer} is the last name of the template"
    if reason:
        raise DatasetError("template", (Problem.of("wrong_value", reason),))


def _recognise(value: JsonObject) -> DatasetKind | None:
    completion = value.get("completion")
    is_row = isinstance(completion, str) and isinstance(value.get("prompt", ""), str)
    return "sft" if is_row else None


def _read(value: JsonObject) -> Translated:
    losses = dropped_fields(value, frozenset({"prompt", "completion"}))
    completion, prompt = text_field(value, "completion"), text_field(value, "prompt")
    if not completion:
        reason = "`completion` is absent or empty, so there is nothing to learn"
        raise RowRefusedError.of("missing_content", reason, ("completion",))
    messages: list[JsonValue] = [{"role": "assistant", "content": completion}]
    if prompt:
        messages.insert(0, {"role": "user", "content": prompt})
    return Translated({"messages": messages}, losses)


def _write(template: str | None, row: SftRow | DpoRow) -> Encoded:
    if not isinstance(row, SftRow):
        raise RowRefusedError.of("not_expressible", "completion holds no preferences")
    losses = tool_losses(row)
    turns = plain_turns(row.messages, ("messages",), losses)
    if len(turns) == 1 and isinstance(row.messages[0], AssistantMessage):
        prompt, completion = "", turns[0].text  # text alone, which no template asks for
    else:
        system, pairs, question = exchanges(turns, losses)
        if not pairs:
            raise RowRefusedError.of("example_missing_assistant_message", "no answer to a question")
        if question:
            losses.append(Loss("turn_left_out", "a question without an answer", ("messages",)))
        *history, last = pairs
        if history:
            reason = f"{len(history)} earlier exchanges are part of the prompt"
            losses.append(Loss("exchange_in_prompt", reason, ("messages",)))
        if template is None:
            if system or history:
                losses.append(Loss("roles_lost", "joined by empty lines", ("messages",)))
            before = [text for pair in history for text in pair]
            prompt = "\n\n".join([*([system] if system else []), *before, last.question])
            completion = last.answer
        else:
            if system and "{system}" not in template:
                reason = "the system message; the template has no {system}"
                losses.append(Loss("field_dropped", reason, ("messages",)))
            texts = [_fill(template, system, *pair) for pair in history]
            prompt, rest = template.split("{answer}")
            prompt = "\n\n".join([*texts, _fill(prompt, system, last.question, "")])
            completion = last.answer + rest
    if not completion:
        raise RowRefusedError.of("missing_content", "the answer is empty", ("messages",))
    if prompt and not (prompt[-1].isspace() or completion[0].isspace()):
        reason = "prompt and completion meet without a space; trainers join them as they are"
        losses.append(Loss("no_boundary_space", reason, ("completion",)))
    return Encoded({"prompt": prompt, "completion": completion}, losses)


def _fill(template: str, system: str, question: str, answer: str) -> str:
    # In one pass, so that a question that says {answer} is not filled in turn.
    said = {"system": system, "question": question, "answer": answer}
    return _NAME.sub(lambda match: said[match[1]], template)


COMPLETION = completion_format()
"""`{"prompt": "The capital of France is", "completion": " Paris."}`."""
