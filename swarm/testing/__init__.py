"""Test doubles for programs built on wikiswarm: a scripted model, and a model server."""

from swarm.testing.scripted import ScriptedCompletion, ScriptError, call_tool
from swarm.testing.stub_server import StubReply, StubServer

__all__ = ["ScriptError", "ScriptedCompletion", "StubReply", "StubServer", "call_tool"]
