"""Wikis: models fine-tuned on your own questions and answers, or documents, asked by a tool call.

Importing this brings `add_wiki`, the `wiki:` field of tools and the references `gguf/` and
`registry/`. It loads no model library, and it knows nothing of how wikis are trained.
"""

from wiki.answer import Citation, WikiAnswer
from wiki.ask import ask, question, smart_route
from wiki.chatbot import Chatbot
from wiki.declare import add_wiki, get_wiki, override_wiki
from wiki.loop_spec import LoopGateSpec, LoopSpec
from wiki.registry import ModelRegistry, ModelVersion
from wiki.spec import (
    WIKIS,
    CandidateSpec,
    RouteSpec,
    WatchSignal,
    WatchSpec,
    WikiCallbacks,
    WikiSpec,
)

__all__ = [
    "WIKIS",
    "CandidateSpec",
    "Chatbot",
    "Citation",
    "LoopGateSpec",
    "LoopSpec",
    "ModelRegistry",
    "ModelVersion",
    "RouteSpec",
    "WatchSignal",
    "WatchSpec",
    "WikiAnswer",
    "WikiCallbacks",
    "WikiSpec",
    "add_wiki",
    "ask",
    "get_wiki",
    "override_wiki",
    "question",
    "smart_route",
]
