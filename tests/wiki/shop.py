"""A shop with one wiki, as small as a test can have it."""

from typing import Any

from swarm import Catalog, add_agent, add_completion, add_swarm, add_tool, use_catalog
from swarm.specs import Callback
from wiki import add_wiki

__all__ = ["shop", "wiki_only"]


def wiki_only(**fields: Any) -> Catalog:
    """Return a catalog with nothing but the wiki `pharma`."""
    catalog = Catalog()
    with use_catalog(catalog):
        add_wiki(wiki_name="pharma", **fields)
    return catalog


def shop(model: Callback, /, **fields: Any) -> Catalog:
    """Return a catalog with the swarm `shop`: `seller` may ask the wiki `pharma` by a tool.

    A second agent, `porter`, may ask no wiki; a second wiki, `secret`, is on no list.
    """
    catalog = wiki_only(**fields)
    with use_catalog(catalog):
        add_wiki(wiki_name="secret", get_chat=str.upper)
        add_completion(completion_name="model", get_completion=model)
        add_tool(tool_name="ask_pharma", wiki="pharma")
        add_agent(
            agent_name="seller", completion="model", tools=["ask_pharma"], wiki_list=["pharma"]
        )
        add_agent(agent_name="porter", completion="model")
        add_swarm(swarm_name="shop", agent_list=["seller", "porter"], default_agent="seller")
    return catalog
