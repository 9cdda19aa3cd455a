"""Asking a wiki: by an agent in a conversation, directly, or with a threshold of one's own."""

from collections.abc import Sequence

from swarm import Catalog
from swarm.errors import DeclarationError
from swarm.extension import Services
from swarm.host import Host, use_host
from swarm.reference import parse_reference
from swarm.runtime import OpenCompletion, find_live
from wiki.answer import WikiAnswer
from wiki.answering import answer_question
from wiki.errors import WikiNotListedError
from wiki.source import PASSAGES, Source
from wiki.spec import WIKIS, WikiSpec

__all__ = ["ask", "question", "smart_route"]


async def question(message: str, client_id: str, agent_name: str, wiki_name: str) -> str:
    """Ask a wiki for an agent and return the text of its answer, with the sources it cites.

    The whole answer, with model, version and confidence, goes to the journal.

    Args:
        message: The question.
        client_id: Whose conversation the question belongs to.
        agent_name: The agent that asks; the wiki must be in its `wiki_list`.
        wiki_name: The wiki.

    Raises:
        WikiNotListedError: The agent does not list the wiki.
        UnknownNameError: No such wiki is declared.
        ProviderError: The wiki's model failed, and so did its fallback.
        SetupError: The model lacks a key or an extra.
        SessionError: The client has no live session.
    """
    session = find_live(client_id)
    shared = session.plan
    agent = shared.agents.get(agent_name)
    listed = tuple(agent.spec.wiki_list) if agent else ()
    if wiki_name not in listed:
        raise WikiNotListedError(wiki_name, listed, client_id=client_id, agent_name=agent_name)
    spec = shared.catalog.registry(WIKIS).get(wiki_name)
    answer = await _answer(
        spec,
        message,
        shared.catalog,
        shared.open_completion,
        shared.services,
        client_id=client_id,
        swarms=[shared.spec.swarm_name],
    )
    if session.turn is not None:
        session.turn.spend(answer.usage)
    session.note("wiki.answer", {"question": message, **answer.model_dump(mode="json")})
    if not answer.citations or answer.model == PASSAGES:
        return answer.text
    from wiki.documents import list_sources  # only a program with documents pays for it

    return f"{answer.text}\n\nSources:\n{list_sources(answer.citations)}"


async def ask(
    wiki_name: str,
    message: str,
    *,
    model: str | None = None,
    client_id: str | None = None,
    host: Host | None = None,
) -> WikiAnswer:
    """Ask a wiki outside of any conversation; `WikiAnswer.model` says who answered.

    Args:
        wiki_name: A declared wiki.
        message: The question.
        model: Who answers in place of the wiki's own model, such as `registry/pharma@2`, with all
            else that the wiki declares but its fallback: an answer is this model's or none.
        client_id: Who asks. It decides who is answered by the wiki's `candidate`; without one, the
            live version answers.
        host: The host to use; the open one, or one of its own, when absent.

    Raises:
        UnknownNameError: No such wiki is declared.
        DeclarationError: `model` is no model reference.
        ProviderError: The wiki's model failed, and so did its fallback.
        SetupError: The model lacks a key or an extra.
    """
    async with use_host(host) as used:
        spec = used.catalog.registry(WIKIS).get(wiki_name)
        if model is not None:
            spec = _answered_by(model, spec)
        return await _answer(
            spec, message, used.catalog, used.completion, used, client_id=client_id
        )


async def smart_route(
    query: str,
    confidence_threshold: float = 0.7,
    *,
    wiki_name: str | None = None,
    host: Host | None = None,
) -> WikiAnswer:
    """Ask a wiki's own model first, and its fallback when the answer is not sure enough.

    Args:
        query: The question.
        confidence_threshold: Below this confidence, from 0 to 1, the fallback is asked. It counts
            in place of the wiki's own `min_confidence`.
        wiki_name: The wiki; without it, the only one that is declared.
        host: The host to use; the open one, or one of its own, when absent.

    Raises:
        DeclarationError: The wiki has no fallback, the threshold is out of range, or there are
            several wikis and none is named.
        UnknownNameError: No such wiki is declared.
        ProviderError: The wiki's model failed, and so did its fallback.
        SetupError: The model lacks a key or an extra.
    """
    if not 0 < confidence_threshold <= 1:
        raise DeclarationError(
            f"a confidence threshold lies between 0 and 1, not at {confidence_threshold}"
        )
    async with use_host(host) as used:
        wikis = used.catalog.registry(WIKIS)
        if wiki_name is None and len(wikis.names) != 1:
            known = ", ".join(wikis.names) or "none"
            raise DeclarationError(f"smart_route: name the wiki to ask; there are: {known}")
        spec = wikis.get(wiki_name or wikis.names[0])
        if spec.fallback is None:
            raise DeclarationError(f"wiki {spec.wiki_name!r} has no `fallback` to route to")
        routed = spec.model_copy(update={"min_confidence": confidence_threshold})
        return await _answer(routed, query, used.catalog, used.completion, used)


def _answered_by(model: str, spec: WikiSpec) -> WikiSpec:
    """Return a wiki with another model, and nothing that would let a third one answer."""
    parse_reference(model)
    others = ("completion", "get_chat", "fallback", "min_confidence", "route", "candidate")
    return spec.model_copy(update={**dict.fromkeys(others), "model": model})


async def _answer(
    spec: WikiSpec,
    message: str,
    catalog: Catalog,
    open_completion: OpenCompletion,
    services: Services | None,
    *,
    client_id: str | None = None,
    swarms: Sequence[str] | None = None,
) -> WikiAnswer:
    """Answer in the place of a session or a host; examples are those of the given swarms."""
    source = Source(spec, message, catalog, open_completion, services, client_id)
    return await answer_question(source, catalog.swarms.names if swarms is None else swarms)
