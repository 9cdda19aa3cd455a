"""The pharmacy in Python: a wiki behind a tool that commits its output and asks for an answer.

Runs offline, with only the core installed. The same swarm in YAML is in swarm.yaml.
"""

import sys
from enum import StrEnum

from pharma_wiki import answer

from declarative import add_agent, add_completion, add_swarm, add_tool, add_wiki
from swarm import (
    Session,
    ToolContext,
    ToolFunction,
    commit_tool_output,
    execute,
    get_last_user_message,
    run_sync,
    session,
    validate,
)
from wiki import question


class CompletionName(StrEnum):
    """The models that agents speak through."""

    OFFLINE = "offline_completion"


class WikiName(StrEnum):
    """The wikis."""

    PHARMA = "pharma_wiki"


class AgentName(StrEnum):
    """The agents."""

    TEST = "test_agent"


class ToolName(StrEnum):
    """The tools."""

    FIND_PHARMA_PRODUCT = "find_pharma_product"


class SwarmName(StrEnum):
    """The swarms."""

    TEST = "test_swarm"


async def find_pharma_product(context: ToolContext) -> None:
    """Ask the wiki what the user asked, and let the agent answer from it."""
    client_id, agent_name = context.client_id, context.agent_name
    asked = await get_last_user_message(client_id)
    answer = await question(asked, client_id, agent_name, WikiName.PHARMA)
    await commit_tool_output(context.tool_id, answer, client_id, agent_name)
    await execute("Tell me the answer based on the last tool output", client_id, agent_name)


def declare() -> None:
    """Declare the swarm; the order is free."""
    # Any model reference goes here: openai/..., ollama/..., gguf/PATH ...
    add_completion(completion_name=CompletionName.OFFLINE, model="offline")
    add_wiki(
        wiki_name=WikiName.PHARMA,
        doc_description="Products, doses, prices, opening hours, delivery and the return policy",
        get_chat=answer.look_up,  # or model="registry/pharma@live" for one that was trained
    )
    add_agent(
        agent_name=AgentName.TEST,
        doc_description="Answers questions about the pharmacy's products",
        completion=CompletionName.OFFLINE,
        prompt="You are the pharma seller agent. Call a tool only when it is needed.",
        system=[f"To find product information call the tool {ToolName.FIND_PHARMA_PRODUCT}"],
        tools=[ToolName.FIND_PHARMA_PRODUCT],
        wiki_list=[WikiName.PHARMA],
    )
    add_tool(
        tool_name=ToolName.FIND_PHARMA_PRODUCT,
        doc_note="Asks the pharma wiki and returns what it knows to the agent",
        call=find_pharma_product,
        examples=["What does the product cost?", "Do you have something against a headache?"],
        type="function",
        function=ToolFunction(
            name=ToolName.FIND_PHARMA_PRODUCT,
            description="Find pharma product details based on the corporate wiki",
            parameters={"type": "object", "properties": {}, "required": []},
        ),
    )
    add_swarm(
        swarm_name=SwarmName.TEST,
        doc_description="Consultants who know the pharmacy's products",
        agent_list=[AgentName.TEST],
        default_agent=AgentName.TEST,
    )
    validate()


async def main() -> int:
    """Ask two questions and check the answers."""
    declare()
    chat: Session
    async with session("client-1", SwarmName.TEST) as chat:
        against = await chat.complete("Do you have something against a headache?")
        price = await chat.complete("What does Dolanex cost?")
    print(against)
    print(price)
    return 0 if "Dolanex" in against and "4.80" in price else 1


if __name__ == "__main__":
    sys.exit(run_sync(main))
