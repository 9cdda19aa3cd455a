"""What can go wrong with a wiki, beyond what its model's provider reports."""

from swarm.errors import ProviderRefusedError, TurnError, suggest

__all__ = ["OutsideGroupsError", "WikiNotListedError"]


class OutsideGroupsError(ProviderRefusedError):
    """A model is limited to groups of workers that this process belongs to none of."""

    code = "outside_groups"
    rpc_code = -32049

    def __init__(self, model: str, groups: tuple[str, ...], own: tuple[str, ...]) -> None:
        self.groups, self.own = groups, own
        super().__init__(
            f"only workers of the group {' or '.join(groups)} may load it, and this process is in"
            f" {', '.join(own) or 'no group'}; ask it there, or set WIKISWARM_GROUPS here",
            provider=model,
        )


class WikiNotListedError(TurnError):
    """An agent asked a wiki that is not in its `wiki_list`."""

    code = "wiki_not_listed"
    rpc_code = -32055

    def __init__(
        self, wiki_name: str, listed: tuple[str, ...], *, client_id: str, agent_name: str
    ) -> None:
        self.wiki_name = wiki_name
        hint = suggest(wiki_name, listed) or f"it may ask: {', '.join(listed) or 'none'}"
        text = f"wiki {wiki_name!r} is not in the agent's wiki_list; {hint}"
        super().__init__(text, client_id=client_id, agent_name=agent_name)
