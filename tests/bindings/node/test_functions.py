"""Functions of a document that run in Node: what they get, and what they may do."""

import logging
import os
import subprocess
import sys

import anyio
import pytest

from bindings.node import functions_of
from bindings.node.functions import node_function
from bindings.node.process import NodeProcess
from declarative import load
from declarative.kinds import SECTIONS
from declarative.make import is_callback
from declarative.scripts import Script
from swarm import Catalog, Host, Message, Spec, session
from swarm.errors import SetupError
from swarm.memory import COMPUTES, EMBEDDINGS
from swarm.testing import call_tool
from tests.bindings.node.conftest import MODEL, SWARM, Files, OpenHost, say
from tests.bindings.typescript.package import needs_node
from wiki import ask

pytestmark = [needs_node, pytest.mark.anyio, pytest.mark.xdist_group("npm")]


@pytest.mark.requirement("wire:file:bound", "wire:callback:nested")
async def test_a_tool_gets_the_record_of_the_kit_and_uses_the_verbs(
    files: Files, open_host: OpenHost
) -> None:
    model = MODEL.replace('last.role === "tool"', 'last.content === "go on"')
    files({
        "file.ts": model + """
import { commitToolOutput, execute, getLastUserMessage, getSessionContext } from "wikiswarm";
import { twice } from "./other.js";
export async function tool(dto: Record<string, any>): Promise<void> {
  const { toolId, clientId, agentName, params, toolCalls, isLast, abortSignal } = dto;
  const { swarmName } = await getSessionContext(clientId);
  const said = [Object.keys(dto).sort().join(), clientId, agentName, swarmName, params.text,
    toolCalls[0].function.name, isLast, abortSignal instanceof AbortSignal,
    twice(await getLastUserMessage(clientId))];
  await commitToolOutput(toolId, said.join("; "), clientId, agentName);
  await execute("go on", clientId, agentName);
}
""",
        "other.ts": "export const twice = (text: string): string => text + text;\n",
    })  # fmt: skip
    async with open_host(SWARM) as host, session("client", "shop", host=host) as chat:
        assert await chat.complete("né 漢") == "it said go on"
        outputs = [one.content for one in chat.history.messages if one.role == "tool"]
    keys = "abortSignal,agentName,callReason,clientId,isLast,params,toolCalls,toolId,toolName"
    assert outputs == [f"{keys}; client; seller; shop; né 漢; tool; true; true; né 漢né 漢"]


async def test_arguments_may_be_called_anything(files: Files, open_host: OpenHost) -> None:
    names = "{ self: 1, context: 2, arguments: 3, __proto__x: 4 }"
    files({
        "file.ts": MODEL.replace("{ text: last.content }", names)
        + "export const tool = ({ params }) => Object.entries(params).join();\n"
    })  # fmt: skip
    async with open_host(SWARM) as host:
        answer = await say(host, "hello")
    assert answer == "it said self,1,context,2,arguments,3,__proto__x,4"


async def test_fields_of_all_sorts_get_what_the_kit_gives_them(
    files: Files, open_host: OpenHost
) -> None:
    files({
        "file.ts": MODEL + """
const heard: string[] = [];
export const tool = ({ params }: { params: { text: string } }) => `${params.text} ${heard}`;
export const prompt = (clientId: string, agentName: string) => `${clientId} ${agentName}`;
export const loud = (text: string, clientId: string, agent: string) =>
  `${text.toUpperCase()} ${clientId} ${agent}`;
export const short = (text: string) => (text.length > 9 ? null : "too short");
export const polite = (text: string, clientId: string, swarm: string) => text !== "rude";
export const before = (id: string, clientId: string, agent: string, params: object) => {
  heard.push([clientId, agent, Object.keys(params)].join("/"));
};
export const fits = ({ params }: { params: { text: string } }) => params.text !== "bad" || "bad";
""",
    })  # fmt: skip
    document = (
        SWARM.replace("timeout: 20", "validate_params: file.ts#fits, "
                                     "callbacks: {on_before_call: file.ts#before}")
        .replace("prompt: Sell.", 'prompt: "node:file.ts#prompt", transform: file.ts#loud, '
                                  "validate_output: file.ts#short")
        .replace("default_agent", "policies: [polite], default_agent")
    ) + "policies: {polite: {validate_input: file.ts#polite, ban_message: no}}\n"  # fmt: skip
    async with open_host(document) as host:
        assert await say(host, "hello") == "IT SAID HELLO CLIENT/SELLER/TEXT client seller"
        refused = "IT SAID ERROR: THE ARGUMENTS WERE REFUSED: BAD client seller"
        assert await say(host, "bad") == refused
        assert await say(host, "rude") == "no"


async def test_functions_with_another_shape_in_the_kit_get_that_one(
    files: Files, open_host: OpenHost
) -> None:
    files({
        "file.ts": """
export const embed = (text: string, name: string) => [text.length, name.length];
export const map = (message: { content: string; tool_calls?: unknown[] }) =>
  ({ role: "assistant", content: `${message.content} ${message.tool_calls?.length}` });
export const get = (clientId: string, name: string) => `${clientId} ${name}`;
""",
    })  # fmt: skip
    document = """
embeddings: {vectors: {create: "file.ts#embed"}}
computes: {sum: {get: "file.ts#get", ttl: 3}}
completions: {m: {model: offline}}
agents: {a: {completion: m, map_message: "file.ts#map"}}
"""
    async with open_host(document) as host:
        vectors = host.catalog.registry(EMBEDDINGS).get("vectors")
        assert vectors.create is not None
        assert await vectors.create(["one", "three"], "vectors") == [[3, 7], [5, 7]]
        assert await host.catalog.registry(COMPUTES).get("sum").get("client", "sum") == "client sum"
        mapped = host.catalog.agents.get("a").map_message
        assert mapped is not None
        calls = call_tool("tool").tool_calls
        message = Message(role="assistant", content="text", tool_calls=calls)
        assert (await mapped(message)).content == "text 1"


async def test_functions_of_python_and_of_node_stand_in_one_list(
    files: Files, open_host: OpenHost
) -> None:
    files({
        "file.ts": """
export const model = () => '{"n": 3}';
export const odd = ({ data }) => { if (data.n % 2 !== 0) throw new Error("odd"); };
export const small = ({ data }) => (data.n < 2 ? "small" : undefined);
""",
        "own.py": "def check(data): return None\n",
    })  # fmt: skip
    document = """
completions: {model: {get_completion: file.ts#model}}
outlines:
  o: {completion: model, format: {type: object}, max_attempts: 1,
      validations: ["file.ts#small", "own:check", "file.ts#odd"]}
"""
    from swarm import json

    async with open_host(document) as host:
        result = await json("o", host=host)
    assert not result.is_valid
    assert result.error == "odd"


async def test_what_it_prints_and_a_long_answer_do_no_harm(
    files: Files, open_host: OpenHost, caplog: pytest.LogCaptureFixture
) -> None:
    files({
        "file.ts": """
console.log("printed", '{"jsonrpc": "2.0"}');
console.error("warned");
process.stdout.write("x".repeat(200_000));
export const chat = (args: { message: string }) => "é".repeat(1_000_000) + args.message;
""",
    })  # fmt: skip
    with caplog.at_level(logging.INFO, "wikiswarm.node"):
        async with open_host('wikis: {w: {get_chat: "file.ts#chat"}}') as host:
            answer = await ask("w", "?", host=host)
    assert answer.text == "é" * 1_000_000 + "?"
    lines = [(one.levelname, one.getMessage()) for one in caplog.records]
    assert ("INFO", 'file.ts: printed {"jsonrpc": "2.0"}') in lines
    assert ("WARNING", "file.ts: warned") in lines
    assert max(len(line) for _, line in lines) < 5000


async def test_fifty_clients_share_one_process(files: Files, open_host: OpenHost) -> None:
    files({
        "file.ts": MODEL + """
const waiting: (() => void)[] = [];
export async function tool({ clientId }: { clientId: string }): Promise<string> {
  // All fifty have to be here before the first may leave.
  await new Promise<void>((go) => {
    waiting.push(go);
    if (waiting.length === 50) for (const one of waiting) one();
  });
  return `${process.pid} ${clientId}`;
}
""",
    })  # fmt: skip
    answers: dict[str, str] = {}

    async def talk(host: Host, client: str) -> None:
        answers[client] = await say(host, "hello", client)

    async with open_host(SWARM) as host, anyio.create_task_group() as tasks:
        for number in range(50):
            tasks.start_soon(talk, host, f"client-{number}")
    pid = answers["client-0"].split()[2]
    assert len(answers) == 50
    assert answers == {name: f"it said {pid} {name}" for name in answers}


@pytest.mark.parametrize("name", ["file.cjs", "file.js", "file.mjs", "file.mts", "file.ts"])
async def test_files_of_every_kind_use_the_same_core(
    files: Files, open_host: OpenHost, name: str
) -> None:
    is_plain = name.endswith("cjs")
    use = 'require("wikiswarm")' if is_plain else 'await import("wikiswarm")'
    give = "exports.tool =" if is_plain else "export const tool ="
    text = f"{give} async ({{ clientId }}) => (await {{}}.getLastUserMessage(clientId)) + '!';\n"
    # Without a type in package.json, a .ts file is CommonJS.
    kind = "module" if name == "file.js" else "commonjs"
    if is_plain:
        text = f"const kit = {use};\n" + text.replace("{}", "kit")
    else:
        text = 'import * as kit from "wikiswarm";\n' + text.replace("{}", "kit")
    files({name: text, "model.mts": MODEL, "package.json": f'{{"type": "{kind}"}}'})
    document = SWARM.replace("file.ts#model", "model.mts#model").replace("file.ts", name)
    async with open_host(document) as host:
        assert await say(host, "hello") == "it said hello!"


@pytest.mark.requirement("wire:file:bound")
async def test_every_field_that_takes_a_function_may_have_one_in_node(
    files: Files, open_host: OpenHost
) -> None:
    file = files({"file.ts": "export const f = () => 1;\n"}) / "file.ts"
    functions = [
        node_function(Script("file.ts#f", file, "f", kind.name, "x", field))
        for kind in SECTIONS.values()
        for field in _function_fields(kind.spec)
        if field != "get_similarity"
    ]
    assert len(functions) > 90
    async with open_host("{}") as host:
        process = NodeProcess(host, file)
        await process.open()
        # Each is bound by what the kit calls it, or this raises.
        await process.bind(functions)
        assert all(process.has(one) for one in functions)
        strange = node_function(Script("file.ts#f", file, "f", "nothing", "x", "call"))
        with pytest.raises(SetupError, match="call of a nothing is no function in Node"):
            await process.bind([strange])
        await process.aclose()


def _function_fields(spec: type[Spec]) -> list[str]:
    found: list[str] = []
    for name, field in spec.model_fields.items():
        annotation = field.annotation
        nested = [one for one in getattr(annotation, "__args__", ()) if isinstance(one, type)]
        callbacks = [one for one in nested if issubclass(one, Spec)]
        if name == "callbacks":
            found += [f"callbacks.{one}" for one in _function_fields(callbacks[0])]
        elif name in ("validations", "middlewares"):
            found += [f"{name}.0", f"{name}.2"]
        elif is_callback(annotation) or (name in ("prompt", "system") and spec.__name__ != "X"):
            found.append(name)
    return found


def test_a_document_with_functions_in_node_loads_with_declarative_alone(files: Files) -> None:
    folder = files({"file.ts": "", "swarm.yaml": SWARM})
    code = f"""
import sys
from declarative import load
from swarm import Catalog
catalog = load({str(folder / "swarm.yaml")!r}, catalog=Catalog())
assert callable(catalog.tools.get("tool").call)
assert "bindings.rpc" not in sys.modules, "only a call needs it"
"""
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    catalog = load(folder / "swarm.yaml", catalog=Catalog())
    assert sorted(one.script.text for one in functions_of(catalog)) == [
        "file.ts#model",
        "file.ts#tool",
    ]
