"""Evaluation of a model as it is served: any model reference, asked like a wiki is asked.

It proves that what was packaged answers as what was trained, and it measures hosted models.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
import anyio.to_thread
from pydantic import JsonValue

from finetune.evaluate.match import exact_match
from finetune.evaluate.metrics import measure
from finetune.evaluate.prompts import last_question, prompt_messages, prompts_sha256
from finetune.evaluate.report import EvaluationReport
from finetune.evaluate.row import RowResult, write_results
from finetune.evaluate.run import EvaluationProgress
from finetune.train.files import sha256_file
from finetune.train.rows import read_chats
from swarm import Catalog, CompletionRequest, CompletionSpec, Host
from swarm.errors import ProviderOutputError, SwarmError
from swarm.messages import read_message
from swarm.reference import parse_reference
from wiki import ModelRegistry

__all__ = ["evaluate_reference"]

_LONGEST_NAME = 120


async def evaluate_reference(
    reference: str,
    rows: Sequence[dict[str, JsonValue]],
    *,
    home: Path,
    output_dir: Path,
    system: str | None = None,
    concurrency: int = 8,
    max_tokens: int = 64,
    declared: CompletionSpec | None = None,
    on_progress: Callable[[EvaluationProgress], None] | None = None,
) -> EvaluationReport:
    """Ask a served model every row and return how good its answers are.

    A provider does not tell the loss on texts that are not its own, so there is no perplexity.

    Args:
        reference: A model reference such as `registry/pharma@live` or `openai/ft:...`.
        rows: SFT rows; the last message is the expected answer, the ones before it the question.
        home: The folder of the state, with the model registry.
        output_dir: Gets a JSONL file named after the reference, with one `RowResult` per line.
        system: System message for rows that have none.
        concurrency: Questions asked at the same time.
        max_tokens: Where an answer that does not end is cut.
        declared: Further settings, such as the address of a host of one's own and its key.
        on_progress: Called after every answer.

    Raises:
        DataError: A row is not a text conversation with an answer.
        ProviderError: The model failed.
        SetupError: The model lacks a key or an extra.
        StoreError: The file cannot be written.
    """
    chats = read_chats(list(rows), source="rows")
    started = time.monotonic()
    results: list[RowResult | None] = [None] * len(chats)
    failures: list[Exception] = []
    limiter = anyio.CapacityLimiter(concurrency)
    usual = declared or CompletionSpec(completion_name="evaluation", model=reference)
    spec = usual.model_copy(update={"model": reference, "max_tokens": max_tokens})
    async with Host(catalog=Catalog(), home=home) as host:
        completion = await host.completion(spec)
        weights = await anyio.to_thread.run_sync(_weights_sha256, reference, home)

        async def ask(index: int) -> None:
            expected = chats[index][-1]
            before = prompt_messages(chats[index], system)
            messages = [read_message(message) for message in before]
            async with limiter:
                try:
                    answer = await completion.complete(CompletionRequest(messages=messages))
                except Exception as error:  # the model may be the user's own function
                    # Raised below, as it is and not as one of a group.
                    failures.append(error)
                    group.cancel_scope.cancel()
                    return
            text = answer.message.content
            results[index] = RowResult(
                row=index + 1,
                question=last_question(chats[index]),
                expected=expected["content"],
                answer=text,
                exact=exact_match(expected["content"], text),
            )
            if on_progress is not None:
                done = sum(result is not None for result in results)
                on_progress(
                    EvaluationProgress(
                        rows=done, total_rows=len(chats), seconds=time.monotonic() - started
                    )
                )

        async with anyio.create_task_group() as group:
            for index in range(len(chats)):
                group.start_soon(ask, index)
        if failures and isinstance(failures[0], SwarmError):
            raise failures[0]
        if failures:
            text = f"{type(failures[0]).__name__}: {failures[0]}"
            raise ProviderOutputError(text, provider=reference) from failures[0]
    answered = [result for result in results if result is not None]
    values: dict[str, object] = {
        "model_sha256": weights,
        "prompts_sha256": prompts_sha256(chats, system),
        "seconds": time.monotonic() - started,
    }
    path = output_dir / f"{_file_name(reference)}.jsonl"
    return await anyio.to_thread.run_sync(_report, answered, path, values)


def _weights_sha256(reference: str, home: Path) -> str:
    """Return the hash of the weights behind a reference, "" for a model that a provider hosts."""
    parsed = parse_reference(reference)
    if parsed.provider == "gguf":
        return sha256_file(Path(parsed.name))
    if parsed.provider != "registry":
        return ""
    manifest = ModelRegistry(home / "models").get(parsed.name).manifest
    return next((file.sha256 for file in manifest.files if file.name == manifest.weights), "")


def _report(results: list[RowResult], path: Path, values: dict[str, object]) -> EvaluationReport:
    write_results(path, results)
    exact = sum(result.exact for result in results)
    return EvaluationReport.model_validate(
        {
            "rows": len(results),
            "exact": exact,
            "accuracy": exact / len(results) if results else 0.0,
            "results": path,
            "misses": [result for result in results if not result.exact][:10],
            "metrics": measure(results),
            **values,
        }
    )


def _file_name(reference: str) -> str:
    plain = "".join(c if c.isalnum() or c in "._-" else "-" for c in reference)
    # A path may be longer than the name of a file; its end tells most.
    return plain[-_LONGEST_NAME:]
