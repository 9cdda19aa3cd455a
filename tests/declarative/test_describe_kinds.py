"""What the documentation says of each kind of declaration, in words for people."""

import html
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pydantic import BaseModel, Field

from declarative import (
    add_advisor,
    add_agent,
    add_completion,
    add_compute,
    add_embedding,
    add_mcp,
    add_outline,
    add_pipeline,
    add_policy,
    add_state,
    add_storage,
    add_swarm,
    add_tool,
    add_wiki,
    describe,
)
from declarative.describe.shape import field_rows
from declarative.describe.words import count, money, seconds
from declarative.describe.writer import Writer, table
from swarm import BreakerSpec, BudgetSpec, Catalog, ToolFunction, use_catalog
from wiki import WatchSpec


def total(*arguments: Any) -> Any:
    """Adds up the cart."""
    raise NotImplementedError


def check(*arguments: Any) -> Any:
    """Says what is wrong."""
    raise NotImplementedError


@pytest.fixture(autouse=True)
def catalog() -> Any:
    with use_catalog(Catalog()) as catalog:
        add_completion(completion_name="model", model="offline")
        yield catalog


def lines(catalog: Catalog) -> list[str]:
    return describe(catalog).splitlines()


def test_nothing_declared_is_nothing_described() -> None:
    assert describe(Catalog()) == "# Documentation\n"


def test_a_swarm_with_all_it_has(catalog: Catalog) -> None:
    add_policy(policy_name="short", max_length=500, doc_description="Keeps it short.")
    add_agent(agent_name="seller", completion="model", handoffs=["boss"])
    add_agent(agent_name="boss", operator=True, connect_operator=check)
    add_swarm(
        swarm_name="shop",
        agent_list=["seller", "boss"],
        default_agent="seller",
        policies=["short", "nothing"],
        budget=BudgetSpec(turn_tokens=20_000, turn_cost=0.0005, session_cost=5),
        turn_timeout=90,
        max_revisits=0,
        get_active_agent=check,
    )
    text = lines(catalog)
    for line in (
        "1. [`short`](#policy-short): Keeps it short. Refuses messages of more than 500 characters."
        " What is refused is answered with “I am not going to discuss it!”.",
        "2. `nothing` (not declared)",
        "- **Time for one answer**: at most 90 seconds",
        "- **Hand-offs for one answer**: at most 10; back to the same agent never",
        "- **May use**: at most 20,000 tokens and $0.0005 for one answer;"
        " at most $5.00 for a whole conversation",
        "- **Which agent is active**: kept by the program itself, read by `check`",
        "| [`boss`](#agent-boss) |  | a person |  |",
        "- **Answers by**: a person, reached by the function `check`: Says what is wrong.",
    ):
        assert line in text, "\n".join(text)


def test_an_agent_with_all_it_has(catalog: Catalog) -> None:
    add_state(state_name="cart")
    add_storage(storage_name="notes")
    add_tool(tool_name="pay", call=total, parameters={}, needs_approval=True, approval_wait=60)
    add_tool(
        tool_name="look",
        call=total,
        parameters={},
        needs_approval=check,
        is_available=check,
        validate_params=check,
        read_only=True,
        timeout=5,
        examples=["Where is it?"],
        function=ToolFunction(name="look_up"),
    )
    add_agent(
        agent_name="seller",
        completion="model",
        tools=["pay", "look"],
        states=["cart"],
        storages=["notes"],
        keep_messages=20,
        keep_tokens=1000,
        summarize=True,
        max_tool_calls=3,
        parallel_tool_calls=True,
        rescue="flush",
        placeholder="Pardon?",
        validate_output=check,
        system_dynamic=check,
        budget=BudgetSpec(turn_seconds=30),
    )
    add_agent(agent_name="own", completion="model", rescue="custom", get_rescue=check)
    add_agent(agent_name="once", completion="model", max_repairs=0)
    text = lines(catalog)
    for line in (
        "- **Tools**: [`pay`](#tool-pay) (a person has to agree),"
        " [`look`](#tool-look) (a person has to agree)",
        "- **Remembers in states**: [`cart`](#states)",
        "- **Keeps and finds things in storages**: [`notes`](#storages)",
        "- **Sees of the conversation**: the last 20 messages, of these about 1,000 tokens;"
        " of what came before, a summary",
        "- **Tool calls for one answer**: at most 3, at the same time",
        "- **May use**: at most 30 seconds for one answer",
        "- **Answers are checked by**: the function `check`: Says what is wrong.",
        "- **After an answer of the model that cannot be used**: the conversation starts anew,"
        " with “Pardon?”",
        "- **After an answer of the model that cannot be used**: answered by the function `check`:"
        " Says what is wrong.",
        "- **After an answer of the model that cannot be used**: answered with"
        " “Sorry, I could not find an answer. Please ask me again.”",
        "Before each answer, more instructions come from the function `check`: Says what is wrong.",
        "- **A person has to agree to each call.**",
        "- The conversation waits 1 minute for that person.",
        "- **A person has to agree to some calls**, chosen by the function `check`:"
        " Says what is wrong.",
        "- Offered only when allowed by the function `check`: Says what is wrong.",
        "- What it is given is checked by the function `check`: Says what is wrong.",
        "- Only looks things up; it changes nothing.",
        "- The model knows it as `look_up`.",
        "- Right for messages such as “Where is it?”.",
        "- Given up after 5 seconds.",
    ):
        assert line in text, "\n".join(text)


def test_policies_in_sentences(catalog: Catalog) -> None:
    add_policy(
        policy_name="strict",
        deny=["damn", "/pass(word|port)/"],
        validate_input=check,
        validate_output=check,
        redact=["email", "secret"],
        rewrite_output=total,
        auto_ban=True,
        persist=False,
    )
    add_policy(policy_name="list", get_banned_clients=check, get_ban_message=check)
    add_policy(policy_name="plain", ban_message="No.")
    text = lines(catalog)
    for line in (
        "- Refuses messages and answers with `damn`, `/pass(word|port)/`.",
        "- Checks each message by the function `check`: Says what is wrong.",
        "- Checks each answer by the function `check`: Says what is wrong.",
        "- Replaces e-mail addresses and keys and passwords in messages and answers by"
        " `[email]`, `[secret]`.",
        "- Changes each answer by the function `total`: Adds up the cart.",
        "- Whoever is refused once is banned: nothing they say is answered any more.",
        "- Bans end when the program does.",
        "- What is refused is answered by the function `check`: Says what is wrong.",
        "- Who is banned stands in a list of the program's own.",
        "- Whoever the program bans is answered with “No.” only.",
        "No swarm uses it.",
    ):
        assert line in text, "\n".join(text)


@pytest.mark.requirement("kit:docs:everything")
def test_memory_in_tables(catalog: Catalog) -> None:
    add_state(state_name="cart", default=["a|b"], middlewares=[check])
    add_state(state_name="rate", shared=True, persist=False, get_default=check)
    add_state(state_name="own", get_state=check, set_state=check)
    add_embedding(embedding_name="mine", model="openai/small", api_key_env="MY_KEY")
    add_storage(storage_name="notes", embedding="mine", score=0.5, vectors="chroma")
    add_storage(storage_name="faq", default=[{"id": 1}])
    add_compute(compute_name="sum", get=total, depends_on=["cart"], ttl=600)
    text = lines(catalog)
    made = "made by `check`: Says what is wrong."
    for line in (
        '| `cart` | each client | `["a\\|b"]` | in the database | `check`: Says what is wrong. |',
        f"| `rate` | everybody | {made} | until the program ends |  |",
        "| `own` | each client | nothing | by the program itself |  |",
        "| `notes` | each client | empty | [`mine`](#embeddings), in Chroma, at least 50% alike |"
        " in the database |",
        "| `faq` | each client | 1 item | words and parts of words | in the database |",
        "| `mine` | `openai/small` | `MY_KEY` | [`notes`](#storages) |",
        "| `sum` | each client | `total`: Adds up the cart. | 10 minutes | [`cart`](#states) |",
    ):
        assert line in text, "\n".join(text)


def test_models_name_the_variables_of_their_keys(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "value-of-a")
    add_completion(
        completion_name="main",
        model="openai/gpt-5",
        base_url="https://value-of-host.example",
        fallback=["gguf/small.gguf", "offline"],
        api_key_env=["A_KEY", "B_KEY"],
        key_budget=BudgetSpec(session_cost=5),
        breaker=BreakerSpec(failures=3),
        max_retries=0,
        json_mode=True,
        max_tokens=1,
        flags=["/no_think"],
        max_concurrent=2,
        extra_body={"note": "value-of-body"},
    )
    add_completion(completion_name="never", model="offline", breaker=BreakerSpec(failures=0))
    text = lines(catalog)
    for line in (
        "- **Answers by**: the model `openai/gpt-5`; when that fails, the model file"
        " `gguf/small.gguf`, then `offline` (no model: it compares words and picks a tool)",
        "- **Asked again after a failure that may pass**: never",
        "- **Left alone**: for 30 seconds after 3 failures in a row",
        "- **Left alone**: never, however often it fails",
        "- **Used for**: documents only",
        "- **Longest answer**: 1 token",
        "- **Always told**: `/no_think`",
        "- **Answers at the same time**: at most 2",
        "- **Keys**: in the environment variables `A_KEY`, `B_KEY`, which take turns",
        "- **May use with each key**: at most $5.00",
        "- **Used by**: nothing yet",
    ):
        assert line in text, "\n".join(text)
    assert "value-of" not in "\n".join(text)


def test_servers_say_how_they_are_reached_and_no_more(catalog: Catalog) -> None:
    add_mcp(
        mcp_name="hub",
        url="https://mcp.example.com/value?key=value",
        headers={"X-Value": "HUB_KEY"},
        tools=["find"],
        prefix="hub_",
        doc_description="The hub.",
    )
    add_mcp(mcp_name="files", command=["/value/bin/files", "--token=value"], env=["FILES_KEY"])
    add_mcp(mcp_name="own", list_tools=total, call_tool=check)
    add_agent(agent_name="seller", completion="model", mcp=["hub"])
    text = lines(catalog)
    for line in (
        "- **Tools of MCP servers**: [`hub`](#mcp-servers)",
        "| `hub` | The hub. | over the network at `mcp.example.com` | `find`, each named `hub_…` |"
        " `HUB_KEY` | 30 seconds | [`seller`](#agent-seller) |",
        "| `files` |  | started here as `files` | all | `FILES_KEY` | 30 seconds |  |",
        "| `own` |  | by the functions `total` and `check` | all |  | 30 seconds |  |",
    ):
        assert line in text, "\n".join(text)
    assert "value" not in "\n".join(text).lower()


def test_wikis_advisors_and_pipelines(catalog: Catalog) -> None:
    add_embedding(embedding_name="mine", model="hash")
    add_wiki(wiki_name="law", documents=["law/*.md"], documents_root="/secret", embedding="mine")
    add_wiki(wiki_name="read", documents=["a.md"], completion="model", embedding="hash")
    add_wiki(
        wiki_name="doses",
        model="registry/doses@live",
        fallback="openai/big",
        min_confidence=0.7,
        examples=["How many?"],
        system="Be exact.",
        watch=WatchSpec(on_alarm="rollback"),
    )
    add_advisor(advisor_name="tax", model="openai/gpt-5", system=["You know taxes."])
    add_advisor(advisor_name="sums", get_chat=total)
    add_pipeline(pipeline_name="restock", execute=total, doc_description="Orders boxes.")
    text = lines(catalog)
    for line in (
        "- **When its answers get worse**: the version before answers again",
        "- **Answers by**: the best 4 passages of its documents",
        "- **Documents**: `law/*.md`",
        "- **Passages are found by**: [`mine`](#embeddings)",
        "- **Reads for one answer**: the best 4 passages",
        "- **Passages are found by**: `hash`",
        "- **Answers by**: the fine-tuned model `registry/doses@live`",
        "- **Otherwise**: the model `openai/big`, when that fails or is less than 70% sure",
        "- **Right for questions such as**:",
        "  - “How many?”",
        "Be exact.",
        "- **Asked by**: no agent",
        "## Advisors",
        "- **Answers by**: the model `openai/gpt-5`",
        "You know taxes.",
        "- **Answers by**: the function `total`: Adds up the cart.",
        "| `restock` | Orders boxes. | `total`: Adds up the cart. |",
        "| `mine` | words and parts of words | [`law`](#wiki-law) |",
    ):
        assert line in text, "\n".join(text)
    assert "/secret" not in "\n".join(text)


class Line(BaseModel):
    """One line of an order."""

    sku: str = Field(description="The article", min_length=3, pattern="^[A-Z]+$")
    number: int = Field(1, ge=1, le=20)


class Order(BaseModel):
    """An order."""

    lines: list[Line] = Field(min_length=1)
    to: Line | None = None
    prices: dict[str, float] = {}
    parts: list["Order"] = []


@pytest.mark.requirement("kit:docs:everything")
def test_an_outline_with_fields_in_fields(catalog: Catalog) -> None:
    add_outline(
        outline_name="order",
        completion="model",
        format=Order,
        validations=[total, check],
        prompt="Fill it in.",
        system=check,
        max_attempts=3,
    )
    add_outline(outline_name="any", completion="model", format={"type": "object"}, max_attempts=1)
    text = lines(catalog)
    for line in (
        "- **Attempts**: at most 3; each time the model is told what was wrong",
        "- **Attempts**: one",
        "| `lines` | list of groups of fields | yes | At least 1 entry. |",
        "| `lines[].sku` | text | yes | The article. At least 3 characters, like `^[A-Z]+$`. |",
        "| `lines[].number` | whole number | no | At least 1, at most 20, `1` when it is left"
        " out. |",
        "| `to` | group of fields or nothing | no |  |",
        "| `to.sku` | text | yes | The article. At least 3 characters, like `^[A-Z]+$`. |",
        "| `prices` | named values: number | no |  |",
        "| `parts` | list of groups of fields | no |  |",
        "1. `total`: Adds up the cart.",
        "1. `check`: Says what is wrong.",
        "Fill it in.",
        "Instructions come from the function `check`: Says what is wrong.",
        "Any fields.",
    ):
        assert line in text, "\n".join(text)
    assert not any("parts[].parts" in line for line in text), "a model that holds itself ends there"


def test_a_schema_that_grows_with_every_step_is_cut() -> None:
    def reference(number: int) -> dict[str, Any]:
        return {"$ref": f"#/$defs/d{number + 1}"}

    parts: dict[str, Any] = {
        f"d{n}": {"properties": {key: reference(n) for key in "abcdef"}} for n in range(12)
    }
    rows = list(field_rows(Writer(Catalog()), {"$ref": "#/$defs/d0", "$defs": parts}))
    assert len(rows) == 401
    assert rows[-1][0] == "…"


def test_a_table_of_contents_where_there_is_much(catalog: Catalog) -> None:
    for number in range(7):
        add_agent(agent_name=f"a.{number}", completion="model")
        add_agent(agent_name=f"a{number}", completion="model")
    add_swarm(swarm_name="shop", agent_list=["a0"], default_agent="a0")
    text = describe(catalog)
    assert text.index("**Contents**") < text.index("## How a conversation goes")
    # Both headings have one address, and the second gets a number.
    assert "[`a.0`](#agent-a0), [`a0`](#agent-a0-1)" in text
    add_swarm(swarm_name="store", agent_list=["a1"], default_agent="a1")
    text = describe(catalog)
    assert text.startswith("# Documentation\n\n**Contents**\n\n- Swarms: [`shop`](#swarm-shop),")


@given(st.text(max_size=60) | st.text("-+=#>~_*`|[](){}<&!1.) \\ab\n", max_size=30))
def test_no_text_is_syntax(text: str) -> None:
    writer = Writer(Catalog())
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    told = " ".join(writer.clean(text).split())
    paragraph = reader.render(writer.text(text))
    assert html.unescape(paragraph) == (f"<p>{told}</p>\n" if told else "")
    cells = reader.render(table(("A", "B"), [("x", f"y{writer.text(text)}"), ("x", "y")]))
    assert f"<td>y{told}</td>" in html.unescape(cells)
    assert cells.count("<td>") == 4


@given(st.text(min_size=1, max_size=60))
def test_no_code_ends_early(text: str) -> None:
    writer = Writer(Catalog())
    (paragraph,) = [t for t in MarkdownIt().parse(f"a {writer.code(text)} b") if t.children]
    kinds = [child.type for child in paragraph.children or []]
    assert kinds == ["text", "code_inline", "text"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (seconds(86_400), "1 day"),
        (seconds(7_200), "2 hours"),
        (seconds(90), "90 seconds"),
        (seconds(1), "1 second"),
        (seconds(0.25), "0.25 seconds"),
        (count(1, "entry"), "1 entry"),
        (count(1_200, "entry"), "1,200 entries"),
        (money(1234.5), "$1,234.50"),
        (money(0.00001), "$0.00001"),
    ],
)
def test_amounts_in_words(said: str, expected: str) -> None:
    assert said == expected
