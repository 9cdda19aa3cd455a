"""Where one question to a wiki is put: its model, function or documents, and its fallback."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from swarm import (
    Catalog,
    Completion,
    CompletionRequest,
    CompletionResult,
    CompletionSpec,
    Message,
)
from swarm.direct import ask_completion
from swarm.errors import ProviderOutputError, SetupError
from swarm.extension import Services
from swarm.functions import checked_call, describe, function_name
from swarm.runtime import OpenCompletion
from wiki.answer import Citation
from wiki.candidate import ask_candidate, find_trial
from wiki.groups import check_groups
from wiki.spec import WikiSpec

if TYPE_CHECKING:
    from wiki.documents import Retrieved

__all__ = ["PASSAGES", "Source"]

PASSAGES = "documents"
"""The model of an answer that consists of passages."""
_NOTHING = "The documents hold nothing on this."


@dataclass(slots=True)
class Source:
    """One question, and what can answer it."""

    spec: WikiSpec
    message: str
    catalog: Catalog
    open_completion: OpenCompletion
    services: Services | None
    client_id: str | None = None
    """Who asks, where anybody in particular does."""
    examples: Sequence[Message] = ()
    """Earlier questions and answers that a model is shown before this one."""
    found: "Retrieved | None" = None
    """The passages, once they were looked for."""
    assigned: str | None = None
    """The version whose turn it was, once the wiki's own model was asked; see `wiki.candidate`."""

    async def ask(self) -> CompletionResult:
        """Return what the wiki itself answers.

        Raises:
            ProviderError: Its model failed.
            OutsideGroupsError: It is limited to groups of workers that this process is not in.
            SetupError: The model lacks a key or an extra.
        """
        spec = self.spec
        if spec.groups:
            environment = os.environ if self.services is None else self.services.environment
            check_groups(spec.groups, environment, f"wiki {spec.wiki_name}")
        await self.retrieve()
        if self.found is not None and spec.completion is None and spec.model is None:
            return _passages(self.found)
        if spec.get_chat is not None:
            return await _ask_function(spec, self.message)
        if spec.completion is not None:
            completion = self.catalog.completions.get(spec.completion)
        else:
            return await self._ask_model()
        return await self._complete(await self.open_completion(completion))

    async def _ask_model(self) -> CompletionResult:
        """Return what the wiki's model answers, or the version that is tried beside it."""
        trial = await find_trial(self.spec, self.client_id, self.services)
        if trial is not None and trial.is_candidate:
            self.assigned = trial.reference
            result = await ask_candidate(
                lambda: self._ask_version(trial.reference), trial, self.spec, self.services
            )
            if result is not None:
                return result
        result = await self._ask_version(self.spec.model)
        if trial is not None and not trial.is_candidate:
            # Not the trial's, which may have been rolled back in this moment.
            self.assigned = result.model
        return result

    async def _ask_version(self, model: str | None) -> CompletionResult:
        return await self._complete(await self.open_completion(_model_spec(self.spec, model)))

    async def ask_fallback(self) -> CompletionResult:
        """Return what the fallback answers, from the passages where some were found.

        Raises:
            ProviderError: It failed.
            SetupError: It lacks a key or an extra.
        """
        return await self._ask_version(self.spec.fallback)

    async def retrieve(self) -> None:
        """Look for passages, in a wiki that has documents and once for each question.

        Raises:
            ProviderError: The embedding failed.
            SetupError: There is no host to keep the index in.
        """
        if not self.spec.documents or self.found is not None:
            return
        if self.services is None:
            name = self.spec.wiki_name
            raise SetupError(f"wiki {name!r} has documents, and these need a host")
        from wiki.documents import retrieve  # only a program with documents pays for it

        self.found = await retrieve(self.spec, self.message, self.catalog, self.services)

    def cite(self, result: CompletionResult) -> tuple[str, tuple[Citation, ...]]:
        """Return the text of an answer with the passages that it is made from."""
        text = result.message.content
        if self.found is None:
            return text, ()
        if result.model == PASSAGES:
            return text or _NOTHING, self.found.citations
        from wiki.documents import cited_answer

        return cited_answer(text, self.found.citations)

    async def _complete(self, completion: Completion) -> CompletionResult:
        spec = self.spec
        system = [Message(role="system", content=spec.system)] if spec.system else []
        asked = self.message
        if self.found is not None:
            from wiki.documents import grounded_question

            asked = grounded_question(asked, self.found.citations)
        request = CompletionRequest(
            messages=[*system, *self.examples, Message(role="user", content=asked)],
            wants_confidence=spec.min_confidence is not None,
        )
        return await ask_completion(completion, request)


def _passages(found: "Retrieved") -> CompletionResult:
    """Return the passages as the answer, or an empty one that lets a fallback be asked."""
    from wiki.documents import quote_passages

    text = quote_passages(found.citations)
    return CompletionResult(Message(role="assistant", content=text), PASSAGES)


def _model_spec(spec: WikiSpec, model: str | None) -> CompletionSpec:
    return CompletionSpec(
        completion_name=spec.wiki_name,
        model=model,
        max_tokens=spec.max_tokens,
        timeout=spec.timeout,
    )


async def _ask_function(spec: WikiSpec, message: str) -> CompletionResult:
    function = spec.get_chat
    if function is None:
        raise ValueError(f"wiki {spec.wiki_name!r} has no get_chat")
    name = f"python:{function_name(function)}"
    role, place = "get_chat", f"wiki {spec.wiki_name!r}"

    def failure(what: str, reason: str) -> ProviderOutputError:
        # What it raises is a failure of this wiki's model.
        return ProviderOutputError(f"{what} failed: {reason}", provider=name)

    value: object = await checked_call(
        function, message, role=role, place=place, failure=failure, in_thread=True
    )
    if not isinstance(value, str):
        reason = f"it returned {type(value).__name__}; return text"
        raise failure(describe(function, role, place), reason)
    return CompletionResult(Message(role="assistant", content=value), name)
