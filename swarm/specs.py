"""The declarations: one frozen model per kind, the single source for Python, YAML and TypeScript.

The keyword arguments of `add_*`, the keys of a YAML document and the fields of the TypeScript
package are the fields of these models. Nothing here runs anything or looks up a name.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, Field, JsonValue, model_validator

from swarm.callbacks import AgentCallbacks, CompletionCallbacks, SwarmCallbacks, ToolCallbacks
from swarm.fields import Callback, Lines, Name, Names, Spec, ToolName, as_lines

__all__ = [
    "AgentSpec",
    "BreakerSpec",
    "BudgetSpec",
    "Callback",
    "CompletionSpec",
    "Lines",
    "Name",
    "Names",
    "Spec",
    "SwarmSpec",
    "ToolFunction",
    "ToolName",
    "ToolSpec",
]


class BudgetSpec(Spec):
    """What may be spent; a limit that is absent does not hold. Costs are in US dollars."""

    turn_tokens: Annotated[int, Field(gt=0)] | None = None
    """Tokens of one turn, in and out."""
    turn_cost: Annotated[float, Field(gt=0)] | None = None
    """Cost of one turn."""
    turn_seconds: Annotated[float, Field(gt=0)] | None = None
    """Time of one turn."""
    session_tokens: Annotated[int, Field(gt=0)] | None = None
    """Tokens of a whole conversation."""
    session_cost: Annotated[float, Field(gt=0)] | None = None
    """Cost of a whole conversation."""


class BreakerSpec(Spec):
    """When a model that fails is left alone for a while."""

    failures: Annotated[int, Field(ge=0)] = 5
    """Attempts in a row that found no connection, no answer in time or a 5xx; 0 never stops."""
    cooldown: Annotated[float, Field(gt=0)] = 30.0
    """Seconds without any call; then one call tries whether the model is back."""


class CompletionSpec(Spec):
    """How to reach a model that agents speak through."""

    completion_name: Name
    """What agents call it."""
    model: str | None = None
    """A model reference such as `openai/gpt-5`, `cohere/command-a-03-2025` or `offline`."""
    get_completion: Callback | None = None
    """A function that answers instead of a model; takes a `CompletionRequest`."""
    base_url: Annotated[str | None, AfterValidator(lambda url: url or None)] = None
    """Where the provider's API lives, such as `http://localhost:8001/v1`; empty means none."""
    api_key_env: Lines | None = None
    """The environment variable that holds the key, or several, whose keys take turns; each provider
    has a default."""
    temperature: Annotated[float, Field(ge=0)] | None = None
    """How freely the model chooses its words; the provider's default when absent."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """The share of probability that the model chooses from; the provider's default when absent."""
    max_tokens: Annotated[int, Field(gt=0)] | None = None
    """The longest answer, in tokens."""
    seed: int | None = None
    """Makes sampling repeatable, where the provider can."""
    timeout: Annotated[float, Field(gt=0)] = 60.0
    """Seconds for one call with all its retries; with fallbacks, each model gets an equal share."""
    max_retries: Annotated[int, Field(ge=0, le=10)] = 2
    """Further attempts after a failure that may pass: no connection, 429, 5xx."""
    fallback: str | Sequence[str] = ()
    """Model references that are asked, in order, when the model cannot answer; one of another
    provider at that one's own address and with its own key."""
    breaker: BreakerSpec | None = None
    """When to leave a failing model alone and go to the fallback at once; when absent, after five
    failed attempts in a row, or a whole call with its retries if that is more, for 30 seconds."""
    extra_body: Mapping[str, JsonValue] = {}
    """Further fields of the provider's request, sent as they are."""
    json_mode: bool | None = None
    """True: for outlines only; false: for agents only; absent: for both."""
    flags: Lines = ()
    """Lines such as `/no_think` that stand at the end of the system prompt."""
    max_concurrent: Annotated[int, Field(gt=0)] | None = None
    """Calls at the same time; further ones wait in order."""
    key_budget: BudgetSpec | None = None
    """What may be spent with each key in one process; its `session_` limits count."""
    callbacks: CompletionCallbacks | None = None
    """Functions that are told of answers."""
    doc_description: str | None = None
    """What it is for, in the generated documentation."""

    @model_validator(mode="after")
    def _has_one_source(self) -> "CompletionSpec":
        if (self.model is None) == (self.get_completion is None):
            raise ValueError("give exactly one of `model` and `get_completion`")
        return self

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """The fallback references, in order."""
        return as_lines(self.fallback)

    @property
    def key_variables(self) -> tuple[str, ...]:
        """The environment variables with the keys; empty for the provider's default."""
        return tuple(self.api_key_env or ())


class ToolFunction(Spec):
    """A tool as the OpenAI API describes it, for programs that declare tools that way."""

    name: ToolName
    description: str = ""
    parameters: Mapping[str, JsonValue] = {}


class ToolSpec(Spec):
    """Something an agent can call: a function, a wiki, or a hand-off to another agent."""

    tool_name: ToolName
    """What agents call it; models see it too, unless `function` has another name."""
    description: str = ""
    """What the model reads to decide whether to call."""
    parameters: Mapping[str, JsonValue] | None = None
    """JSON Schema of the arguments; taken from the signature of `call` when absent."""
    call: Callback | None = None
    """The function. Its return value is the tool's output, unless it commits one itself."""
    wiki: Name | None = None
    """Makes the tool ask this wiki."""
    navigate_to: Name | None = None
    """Makes the tool hand the conversation to this agent; a `call` beside it does so itself."""
    examples: Annotated[Sequence[str], AfterValidator(tuple)] = ()
    """Messages that this tool is right for; the `offline` completion matches against them."""
    timeout: Annotated[float, Field(gt=0)] = 60.0
    """Seconds for one call; then the model is told that the tool gave no output."""
    read_only: bool = False
    """It changes nothing, as tools of wikis never do; other calls are on disk before they run."""
    type: Literal["function"] = "function"
    """As the OpenAI API has it; there is no other type."""
    function: ToolFunction | None = None
    """The OpenAI shape of name, description and parameters; flattened into this spec."""
    get_function: Callback | None = None
    """A function `(client_id, agent_name)` that returns that shape before each model call."""
    is_available: Callback | None = None
    """A function `(client_id, agent_name, tool_name) -> bool`; false hides the tool."""
    validate_params: Callback | None = None
    """A function `(arguments, context)` that returns true, or false or a reason to refuse them."""
    needs_approval: bool | Callback = False
    """A person has to agree to each call, or to those for which `(arguments, context)` is true."""
    approval_wait: Annotated[float, Field(ge=0)] = 0.0
    """Seconds that a turn waits for the person; later the call runs in a turn of its own."""
    callbacks: ToolCallbacks | None = None
    """Functions that are told of calls."""
    doc_note: str | None = None
    """What it is for, in the generated documentation."""

    @model_validator(mode="before")
    @classmethod
    def _flatten_function(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        fields: dict[str, Any] = {**data}
        function: Any = fields.get("function")
        if isinstance(function, ToolFunction):
            function = function.model_dump()
        if isinstance(function, dict):  # anything else is left for the field to refuse
            shape = cast("dict[str, Any]", function)  # keys that are no text are refused there too
            for name in ("description", "parameters"):
                if name in shape:
                    fields.setdefault(name, shape[name])
        return fields

    @model_validator(mode="after")
    def _has_one_target(self) -> "ToolSpec":
        targets = [self.call is not None, self.wiki is not None, self.navigate_to is not None]
        hands_over_itself = targets == [True, False, True]
        if sum(targets) != 1 and not hands_over_itself:
            raise ValueError("give exactly one of `call`, `wiki` and `navigate_to`")
        if self.parameters is not None and self.parameters.get("type", "object") != "object":
            raise ValueError("`parameters` must be a JSON Schema of type object")
        return self

    @property
    def function_name(self) -> str:
        """The name that the model sees."""
        return self.function.name if self.function else self.tool_name


class AgentSpec(Spec):
    """One agent: a prompt, a model, and what it may use."""

    agent_name: Name
    """What swarms and other agents call it."""
    completion: Name | None = None
    """The name of a declared completion; an `operator` needs none."""
    operator: bool = False
    """A person answers, through the inbox or `connect_operator`."""
    connect_operator: Callback | None = None
    """A function `(client_id, agent_name)`, asked once per session, that returns a function
    `(message, reply)`: it passes each message on to the person, whose answer goes to `reply(text)`,
    from any thread, now or later. What it returns is called when the turn stops waiting."""
    prompt: str | Callback = ""
    """The system prompt, or a function `(client_id, agent_name) -> str`."""
    system: Lines = ()
    """Further system lines after the prompt."""
    system_static: Lines = ()
    """The same as `system`, which comes before it."""
    system_dynamic: Callback | None = None
    """A function `(client_id, agent_name) -> str | list[str]`, asked before each model call."""
    tools: Names = ()
    """The tools that this agent may call."""
    wiki_list: Names = ()
    """The wikis that this agent may ask."""
    mcp: Names = ()
    """MCP servers whose tools this agent may call, after its own."""
    handoffs: Names = ()
    """Agents that this one may hand over to; each is offered as a tool `transfer_to_NAME`."""
    depends_on: Names = ()
    """Agents that its tools hand over to by `change_to_agent`; documentation and checks read it,
    and nothing forbids others."""
    states: Names = ()
    """The states that its tools may read and change."""
    storages: Names = ()
    """The storages that its tools may search and change."""
    keep_messages: Annotated[int, Field(ge=1)] = 50
    """How many messages of the history the model sees."""
    keep_tokens: Annotated[int, Field(ge=1)] | None = None
    """How many tokens of the history the model sees, about; the newest question always."""
    summarize: bool = False
    """Let the model sum up what no longer fits, and show the summary in its place."""
    max_tool_calls: Annotated[int, Field(ge=0)] = 25
    """Tool calls in one turn; a call past it gets an error output that the model sees."""
    parallel_tool_calls: bool = False
    """Run the calls of one model answer at the same time instead of in order."""
    max_repairs: Annotated[int, Field(ge=0, le=10)] = 2
    """How often in a row a bad model output is sent back with the reason."""
    placeholder: str = "Sorry, I could not find an answer. Please ask me again."
    """The answer when the repairs are used up."""
    rescue: Literal["repair", "flush", "custom"] = "repair"
    """After a bad model output: ask again with the reason; hide the history and give the
    placeholder; or let `get_rescue` answer."""
    get_rescue: Callback | None = None
    """A function `(client_id, agent_name)` that returns the answer, as `get_completion` may."""
    map_message: Callback | None = None
    """A function `(message) -> message` on what the model says, such as a call written as text."""
    map_tool_calls: Callback | None = None
    """A function `(calls, client_id, agent_name) -> calls` that filters or rewrites tool calls."""
    validate_output: Callback | None = None
    """A function `(text)` that returns None, or the reason why an answer is sent back."""
    transform: Callback | None = None
    """A function `(text) -> text` on each answer, before it is kept and shown."""
    budget: BudgetSpec | None = None
    """What a turn may spend from this agent on, also after it handed over."""
    callbacks: AgentCallbacks | None = None
    """Functions that are told what the agent does."""
    doc_description: str | None = None
    """What it is for, in the generated documentation."""

    @property
    def system_lines(self) -> tuple[str, ...]:
        """The static system lines, in order."""
        return (*as_lines(self.system), *as_lines(self.system_static))

    @model_validator(mode="after")
    def _has_a_voice(self) -> "AgentSpec":
        if self.completion is None and not self.operator:
            raise ValueError("give a `completion`, or `operator: true` where a person answers")
        if self.completion is not None and self.operator:
            raise ValueError("give one of `completion` and `operator`")
        if self.connect_operator is not None and not self.operator:
            raise ValueError("`connect_operator` is for an `operator`")
        if (self.get_rescue is not None) != (self.rescue == "custom"):
            raise ValueError("`rescue: custom` and `get_rescue` go together")
        return self


class SwarmSpec(Spec):
    """Agents that share one conversation."""

    swarm_name: Name
    """What sessions call it."""
    agent_list: Names
    """The agents; hand-offs stay among them."""
    default_agent: Name
    """The agent that a new conversation starts with."""
    turn_timeout: Annotated[float, Field(gt=0)] = 120.0
    """Seconds from a user's message to the answer or a typed error."""
    max_handoffs: Annotated[int, Field(ge=0)] = 10
    """Hand-offs in one turn."""
    max_revisits: Annotated[int, Field(ge=0)] = 3
    """How often one turn may come back to the same agent; 0 lets each agent have it once."""
    policies: Names = ()
    """Policies that check what comes in and what goes out, in order."""
    budget: BudgetSpec | None = None
    """What turns and conversations may spend."""
    get_active_agent: Callback | None = None
    """A function `(client_id, swarm_name)` that returns the active agent when a session opens."""
    set_active_agent: Callback | None = None
    """A function `(client_id, agent_name, swarm_name)` that is told of each change."""
    get_navigation_stack: Callback | None = None
    """A function `(client_id, swarm_name)` that returns the agents to go back to."""
    set_navigation_stack: Callback | None = None
    """A function `(client_id, agent_names, swarm_name)` that is told of each change."""
    callbacks: SwarmCallbacks | None = None
    """Functions that are told what the swarm does."""
    doc_description: str | None = None
    """What it is for, in the generated documentation."""
