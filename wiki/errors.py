"""What can go wrong with a wiki, beyond what its model's provider reports."""

from swarm.errors import TurnError, suggest

__all__ = ["WikiNotListedError"]


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
