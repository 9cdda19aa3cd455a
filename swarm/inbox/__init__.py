"""The inbox: agents whose answers a person writes, and tool calls that a person has to agree to.

What is asked lies in the host's database, so it survives a restart and can be decided from any
process. It is not a queue of tasks: an item belongs to one turn of one conversation.
"""

from swarm.inbox.desk import Desk
from swarm.inbox.errors import AlreadyDecidedError, UnknownItemError, WrongDecisionError
from swarm.inbox.inbox import Inbox
from swarm.inbox.item import InboxItem, InboxKind, InboxStatus, Payload, Reply, ShownMessage
from swarm.inbox.operator import OperatorCompletion

__all__ = [
    "AlreadyDecidedError",
    "Desk",
    "Inbox",
    "InboxItem",
    "InboxKind",
    "InboxStatus",
    "OperatorCompletion",
    "Payload",
    "Reply",
    "ShownMessage",
    "UnknownItemError",
    "WrongDecisionError",
]
