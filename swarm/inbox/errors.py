"""What can go wrong when a person decides, beyond the database."""

from swarm.errors import DataError

__all__ = ["AlreadyDecidedError", "UnknownItemError", "WrongDecisionError"]


class AlreadyDecidedError(DataError):
    """Somebody has decided this item; the first decision stands."""

    code = "already_decided"
    rpc_code = -32094

    def __init__(self, item_id: str, status: str, decided_by: str | None) -> None:
        self.item_id, self.status, self.decided_by = item_id, status, decided_by
        who = f" by {decided_by}" if decided_by else ""
        super().__init__(f"{item_id} was decided already{who}: {status}")


class UnknownItemError(DataError):
    """No item of the inbox, or several, begin so."""

    code = "unknown_item"
    rpc_code = -32095

    def __init__(self, item_id: str, found: int) -> None:
        self.item_id = item_id
        problem = "no item begins" if not found else f"{found} items begin"
        super().__init__(f"{problem} with {item_id!r}; see: wikiswarm inbox list --all")


class WrongDecisionError(DataError):
    """A question was approved, a call was replied to, or a reply has no text."""

    code = "wrong_decision"
    rpc_code = -32096
