"""`add_wiki` and its like, and what wikis add to the core.

That is the `wiki:` field of tools, the references `gguf/` and `registry/`, and a check.
"""

from collections.abc import Iterator
from typing import Any

from swarm import Catalog, Completion, CompletionSpec, ToolContext, ToolSpec
from swarm.declare import declarer, getter, override
from swarm.errors import DeclarationError, Problem, unknown_name
from swarm.extension import (
    Services,
    add_check,
    add_model_provider,
    add_tool_source,
    model_provider,
)
from swarm.memory import EMBEDDINGS
from swarm.reference import ModelReference, parse_reference
from wiki.ask import question
from wiki.spec import WIKIS, WikiSpec

__all__ = ["add_wiki", "find_wiki_problems", "get_wiki", "override_wiki", "wiki_tool"]

add_wiki = declarer(WIKIS, WikiSpec)
get_wiki = getter(WIKIS)
override_wiki = override(WIKIS)

_PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "question": {
            "type": "string",
            "description": "What to ask; the user's last message is asked when it is left out.",
        }
    },
    "additionalProperties": False,
}


def wiki_tool(spec: ToolSpec, catalog: Catalog) -> ToolSpec:
    """Return the tool that asks a wiki and gives back its answer."""
    from swarm.runtime import get_last_user_message

    wiki_name = spec.wiki or ""
    wiki = catalog.registry(WIKIS).get(wiki_name)
    has_own_timeout = "timeout" in spec.model_fields_set

    async def ask_wiki(context: ToolContext) -> str:
        asked = context.arguments.get("question") or await get_last_user_message(context.client_id)
        return await question(str(asked), context.client_id, context.agent_name, wiki_name)

    return spec.model_copy(
        update={
            "wiki": None,
            "read_only": True,
            "call": ask_wiki,
            "description": spec.description or wiki.doc_description or f"Ask {wiki_name}.",
            "parameters": spec.parameters or _PARAMETERS,
            "examples": (*spec.examples, *wiki.examples),
            # The wiki says better than the tool why there is no answer.
            "timeout": spec.timeout if has_own_timeout else wiki.timeout + 1,
        }
    )


def find_wiki_problems(catalog: Catalog) -> Iterator[Problem]:
    """Find references from and to wikis that lead nowhere."""
    wikis = catalog.registry(WIKIS)
    for wiki in wikis:
        where = f"wikis.{wiki.wiki_name}"
        if wiki.completion is not None and wiki.completion not in catalog.completions:
            known = catalog.completions.names
            yield unknown_name(f"{where}.completion", "completion", wiki.completion, known)
        elif wiki.completion is not None and catalog.completions.get(wiki.completion).json_mode:
            message = f"completion {wiki.completion!r} is for outlines only: `json_mode: true`"
            yield Problem(message, f"{where}.completion", hint="name another completion")
        for field, text in (("model", wiki.model), ("fallback", wiki.fallback)):
            if text is not None:
                try:
                    model_provider(parse_reference(text).provider)
                except DeclarationError as wrong:
                    yield Problem(str(wrong), f"{where}.{field}")
        if wiki.embedding is not None and wiki.embedding not in catalog.registry(EMBEDDINGS):
            yield from _embedding_problems(wiki.embedding, f"{where}.embedding")
    for tool in catalog.tools:
        if tool.wiki is not None and tool.wiki not in wikis:
            yield unknown_name(f"tools.{tool.tool_name}.wiki", "wiki", tool.wiki, wikis.names)
    for agent in catalog.agents:
        where = f"agents.{agent.agent_name}"
        for index, name in enumerate(agent.wiki_list):
            if name not in wikis:
                yield unknown_name(f"{where}.wiki_list[{index}]", "wiki", name, wikis.names)
        for index, name in enumerate(agent.tools):
            asked = catalog.tools.get(name).wiki if name in catalog.tools else None
            if asked is not None and asked in wikis and asked not in agent.wiki_list:
                yield Problem(
                    f"tool {name!r} asks wiki {asked!r}, which this agent does not list",
                    f"{where}.tools[{index}]",
                    hint=f"add {asked!r} to wiki_list",
                )


def _embedding_problems(name: str, where: str) -> Iterator[Problem]:
    # The readers are loaded by programs that have documents, and by no others.
    from wiki.documents.embedding import check_embedding

    try:
        check_embedding(name)
    except ValueError as wrong:
        yield Problem(str(wrong), where)


async def _open_gguf(
    reference: ModelReference, spec: CompletionSpec, services: Services
) -> Completion:
    from wiki.providers import open_gguf

    return await open_gguf(reference, spec, services)


async def _open_registry(
    reference: ModelReference, spec: CompletionSpec, services: Services
) -> Completion:
    from wiki.providers import open_registry

    return await open_registry(reference, spec, services)


add_tool_source("wiki", wiki_tool)
add_check(find_wiki_problems)
add_model_provider("gguf", _open_gguf)
add_model_provider("registry", _open_registry)
