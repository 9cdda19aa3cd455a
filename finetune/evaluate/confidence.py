"""Calibration of a version in the model registry: what its confidence is worth, from its answers.

The version is asked as it is served. Questions that it was not trained on tell most; those that it
cannot know teach it when it is wrong.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import anyio.to_thread
from pydantic import JsonValue

from finetune.evaluate.match import exact_match
from finetune.train.rows import read_chats
from swarm import Catalog, Completion, CompletionRequest, CompletionSpec, Host, Message
from swarm.direct import ask_completion
from swarm.errors import DeclarationError
from swarm.messages import read_message
from swarm.reference import parse_reference
from wiki import ModelRegistry
from wiki.calibration import (
    Calibration,
    LabelledAnswer,
    Method,
    fit_calibration,
    write_calibration,
)
from wiki.confidence import read_signals

__all__ = ["calibrate"]


async def calibrate(
    reference: str,
    rows: Sequence[dict[str, JsonValue]],
    *,
    home: Path,
    off_topic: Sequence[str] = (),
    method: Method | None = None,
    is_right: Callable[[str, str], bool] = exact_match,
    max_tokens: int = 64,
) -> Calibration:
    """Ask a version labelled questions, and keep what its confidence is worth beside it.

    Args:
        reference: A version such as `registry/pharma@3`; an alias stands for its version of now.
        rows: SFT rows; the last message is the right answer.
        home: The folder of the state, with the model registry.
        off_topic: Questions that the model cannot know, so that every answer is wrong.
        method: How it is fitted; see `fit_calibration`.
        is_right: Whether an answer, given second, is as right as the expected one.
        max_tokens: Where an answer that does not end is cut.

    Raises:
        DeclarationError: The reference names no version of the registry.
        DataError: A row is no conversation with an answer, or there are too few right or wrong
            answers.
        ProviderError: The model failed.
    """
    parsed = parse_reference(reference)
    if parsed.provider != "registry":
        raise DeclarationError(f"{reference}: only versions of the registry are calibrated")
    registry = ModelRegistry(home / "models")
    version = await anyio.to_thread.run_sync(registry.get, parsed.name)
    chats = read_chats(list(rows), source="rows")
    asked = [([read_message(m) for m in before], answer) for *before, answer in chats]
    spec = CompletionSpec(
        completion_name="calibration", model=f"registry/{version}", max_tokens=max_tokens
    )
    answers: list[LabelledAnswer] = []
    async with Host(catalog=Catalog(), home=home) as host:
        completion = await host.completion(spec)
        for before, expected in asked:
            text, answer = await _ask(completion, before)
            right = is_right(expected["content"], text)
            answers.append(LabelledAnswer(answer.signals, right))
        for question in off_topic:
            _, answer = await _ask(completion, [Message(role="user", content=question)])
            answers.append(answer)
    fitted = fit_calibration(answers, method=method)
    await anyio.to_thread.run_sync(write_calibration, version, fitted)
    return fitted


async def _ask(completion: Completion, messages: list[Message]) -> tuple[str, LabelledAnswer]:
    """Return an answer, and its signals with the label of a wrong one."""
    request = CompletionRequest(messages=messages, wants_confidence=True)
    result = await ask_completion(completion, request)
    return result.message.content, LabelledAnswer(read_signals(result), is_right=False)
