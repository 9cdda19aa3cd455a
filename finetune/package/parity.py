"""Whether a server reads a conversation as the trainer did: the same token ids, one by one.

A model that is served with another template, or whose text is split otherwise, answers worse and
says nothing about it. So both sides get the same generated conversations before a version is
registered: the trainer's tokenizer in a child process, and the file in the engine that serves it.
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread
from pydantic import BaseModel, ConfigDict, JsonValue

from finetune.package.conversations import make_conversations
from finetune.package.converter import PackagingError
from finetune.package.template_file import read_chat_template
from finetune.train.child import ChildError, check_installed, run_child
from finetune.train.files import model_folder
from swarm.errors import StoreError
from swarm.files import write_atomically
from wiki.engine import Engine, EngineError, start_engine

if TYPE_CHECKING:
    import aiohttp

__all__ = ["ParityCheckError", "ParityError", "ParityReport", "check_parity", "first_difference"]

_SHOWN = 6
"""Token ids around a difference that an error shows."""
_REQUEST_SECONDS = 60


class ParityCheckError(ChildError):
    """The trainer's side of the check failed; `tail` holds the last lines of its log."""

    code = "parity_check_error"
    rpc_code = -32076
    what = "the parity check"


class ParityError(PackagingError):
    """The server reads a conversation otherwise than the trainer did."""

    code = "parity_error"
    rpc_code = -32092

    def __init__(
        self,
        conversation: Sequence[dict[str, JsonValue]],
        position: int,
        trained: Sequence[int] | None,
        served: Sequence[int] | None,
    ) -> None:
        self.conversation = conversation
        self.position = position
        """The first token that differs, from 0."""
        self.trained, self.served = trained, served
        shown = json.dumps(conversation, ensure_ascii=False)
        super().__init__(
            f"the server reads a conversation otherwise than the trainer: token {position} is "
            f"{_around(served, position)} there and was {_around(trained, position)} in training; "
            f"the conversation is {shown[:200]}{'…' if len(shown) > 200 else ''}"
        )


class ParityReport(BaseModel):
    """A parity check that found no difference."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    conversations: int
    """How many were compared."""
    refused: int
    """How many of them the template refuses, on both sides."""
    tokens: int
    """Token ids that were equal."""


async def check_parity(
    model: Path, gguf: Path, *, conversations: int = 500, seed: int = 0
) -> ParityReport:
    """Compare the token ids of generated conversations, in training and when served.

    Args:
        model: The run folder or model folder that the GGUF file was made from.
        gguf: The GGUF file.
        conversations: How many to compare.
        seed: Other seeds make other conversations.

    Raises:
        ParityError: They differ; it has the conversation and the first differing position.
        PackagingError: There is no chat template, or one that refuses every conversation.
        ParityCheckError: The trainer's tokenizer cannot be used.
        MissingExtraError: The training libraries or the engine are not installed.
        EngineError: The engine does not serve the file.
        StoreError: There is no room for temporary files.
    """
    check_installed("transformers")
    folder = await to_thread.run_sync(model_folder, model)
    template = await to_thread.run_sync(read_chat_template, folder)
    if template is None:
        raise PackagingError(
            f"{folder}: the tokenizer has no chat template; set one and train again"
        )
    chats = make_conversations(conversations, seed=seed, tools="tool_calls" in template)
    try:
        with tempfile.TemporaryDirectory(prefix="wikiswarm-parity-") as name:
            work = Path(name)
            trained = await _trained(folder, chats, work)
            async with await start_engine(
                gguf, log=work / "engine.log", context=256, parallel=1, threads=1
            ) as engine:
                return await _compare(engine, chats, trained)
    except OSError as error:
        raise StoreError(f"parity check: {error.filename}: {error.strerror or error}") from error


def first_difference(trained: Sequence[int] | None, served: Sequence[int] | None) -> int | None:
    """Return the first position at which token ids differ, or None when they are equal."""
    if trained is None or served is None:
        return None if trained is served else 0
    for position, (one, other) in enumerate(zip(trained, served, strict=False)):
        if one != other:
            return position
    return None if len(trained) == len(served) else min(len(trained), len(served))


async def _trained(
    folder: Path, chats: Sequence[list[dict[str, JsonValue]]], work: Path
) -> list[list[int] | None]:
    await to_thread.run_sync(_write_job, work, folder, chats)
    await run_child(
        "finetune.package.parity_worker",
        work,
        log=work / "log.txt",
        threads=1,
        on_report=lambda _: None,
        error=ParityCheckError,
    )
    text = await anyio.Path(work / "ids.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _write_job(work: Path, folder: Path, chats: Sequence[list[dict[str, JsonValue]]]) -> None:
    lines = "".join(json.dumps(chat) + "\n" for chat in chats)
    write_atomically(work / "conversations.jsonl", lines)
    write_atomically(work / "job.json", json.dumps({"model": str(folder.resolve())}))


async def _compare(
    engine: Engine,
    chats: Sequence[list[dict[str, JsonValue]]],
    trained: Sequence[list[int] | None],
) -> ParityReport:
    import aiohttp

    tokens = refused = 0
    root = engine.base_url.removesuffix("/v1")
    timeout = aiohttp.ClientTimeout(total=_REQUEST_SECONDS)
    headers = {"Authorization": f"Bearer {engine.api_key}"}
    try:
        async with aiohttp.ClientSession(root, headers=headers, timeout=timeout) as session:
            for chat, expected in zip(chats, trained, strict=True):
                found = await _served(session, chat)
                position = first_difference(expected, found)
                if position is not None:
                    raise ParityError(chat, position, expected, found)
                tokens += len(found or ())
                refused += found is None
    except (aiohttp.ClientError, TimeoutError) as error:
        raise (
            engine.death()
            if not engine.alive
            else EngineError(f"the engine did not answer: {error}")
        ) from error
    if chats and not tokens:
        raise PackagingError("the chat template refuses every conversation that was tried")
    return ParityReport(conversations=len(chats), refused=refused, tokens=tokens)


async def _served(
    session: "aiohttp.ClientSession", chat: list[dict[str, JsonValue]]
) -> list[int] | None:
    """Return the prompt that the engine makes of a chat, or None where its template refuses it."""
    async with session.post("/apply-template", json={"messages": chat}) as answer:
        if answer.status != 200:
            return None
        prompt = (await answer.json())["prompt"]
    # As the engine does with the prompt of a chat.
    body = {"content": prompt, "add_special": True, "parse_special": True}
    async with session.post("/tokenize", json=body) as answer:
        answer.raise_for_status()
        ids: list[int] = (await answer.json())["tokens"]
    async with session.post("/v1/chat/completions/input_tokens", json={"messages": chat}) as answer:
        answer.raise_for_status()
        counted = (await answer.json())["input_tokens"]
    if counted != len(ids):
        raise EngineError(f"the engine counts {counted} tokens in a chat of {len(ids)}")
    return ids


def _around(ids: Sequence[int] | None, position: int) -> str:
    if ids is None:
        return "refused"
    return str(list(ids[position : position + _SHOWN])) if position < len(ids) else "the end"
