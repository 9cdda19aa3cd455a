"""The names of the GenAI semantic conventions, and what our references are called there.

The conventions have moved to a repository of their own, `semantic-conventions-genai`, and the
Python package that had their names deprecates all of them; so the names stand here.
"""

from typing import Final, NamedTuple

__all__ = ["AGENT_BUCKETS", "CALL_BUCKETS", "TOKEN_BUCKETS", "Model", "Names", "read_model"]


class Names:
    """Attributes, events and metrics."""

    AGENT: Final = "gen_ai.agent.name"
    CONVERSATION: Final = "gen_ai.conversation.id"
    ERROR: Final = "error.type"
    FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
    INPUT_MESSAGES: Final = "gen_ai.input.messages"
    INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
    IS_STREAMED: Final = "gen_ai.request.stream"
    OPERATION: Final = "gen_ai.operation.name"
    OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
    OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
    PROVIDER: Final = "gen_ai.provider.name"
    REQUEST_MODEL: Final = "gen_ai.request.model"
    RESPONSE_MODEL: Final = "gen_ai.response.model"
    SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
    TOKEN_TYPE: Final = "gen_ai.token.type"
    TOOL: Final = "gen_ai.tool.name"
    TOOL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
    TOOL_CALL: Final = "gen_ai.tool.call.id"
    TOOL_DESCRIPTION: Final = "gen_ai.tool.description"
    TOOL_RESULT: Final = "gen_ai.tool.call.result"
    TOOL_TYPE: Final = "gen_ai.tool.type"

    RUN: Final = "wikiswarm.run.id"
    SWARM: Final = "wikiswarm.swarm.name"
    ANSWERING_AGENT: Final = "wikiswarm.answering_agent.name"
    HAND_OFF: Final = "wikiswarm.hand_off"
    FROM_AGENT: Final = "wikiswarm.hand_off.from"
    TO_AGENT: Final = "wikiswarm.hand_off.to"

    TOKEN_USAGE: Final = "gen_ai.client.token.usage"
    CALL_DURATION: Final = "gen_ai.client.operation.duration"
    AGENT_DURATION: Final = "gen_ai.invoke_agent.duration"
    TOOL_DURATION: Final = "gen_ai.execute_tool.duration"


TOKEN_BUCKETS: Final = tuple(4.0**power for power in range(14))
"""Tokens: 1 to 67,108,864."""
CALL_BUCKETS: Final = tuple(0.01 * 2**power for power in range(14))
"""Seconds: 0.01 to 81.92."""
AGENT_BUCKETS: Final = tuple(0.1 * 2**power for power in range(13))
"""Seconds: 0.1 to 409.6."""

_PROVIDERS: Final = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertex_ai": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""Providers that the conventions call something else; the others keep their name."""


class Model(NamedTuple):
    """A model as the conventions name it."""

    provider: str
    name: str


def read_model(reference: str) -> Model:
    """Return what the conventions call the model of a reference.

    LiteLLM only passes requests on, so behind its prefix the provider is the next part.
    """
    text = reference.removeprefix("litellm/")
    provider, slash, name = text.partition("/")
    if not slash:
        provider, _, name = text.partition(":")
    return Model(_PROVIDERS.get(provider, provider), name or text)
