"""The processes behind files of functions: how they fail, how they start again, how they end."""

import os
import signal
import subprocess
import sys
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

import anyio
import anyio.to_thread
import pytest

from bindings.rpc.errors import ConnectionLostError
from declarative import load
from swarm.errors import SetupError
from tests.bindings.node.conftest import MODEL, SWARM, Files, OpenHost, say
from tests.bindings.typescript.package import needs_node
from wiki import ask

pytestmark = [needs_node, pytest.mark.anyio, pytest.mark.xdist_group("npm")]

LIVING = """\
import { openSync, writeSync } from "node:fs";
/** Tell the test who this is, by a pipe that closes when this process is gone. */
const live = () => {
  writeSync(openSync(new URL("./life", import.meta.url), "w"), `${process.pid}\\n`);
};
export async function tool({ params }: { params: { text: string } }): Promise<string> {
  if (params.text !== "wait") return `alive ${process.pid}`;
  console.error("last words");
  live();
  return await new Promise(() => undefined);
}
"""


class Life(NamedTuple):
    """A process that said who it is."""

    pid: int
    pipe: BufferedReader

    async def end(self) -> None:
        """Wait until the process is gone."""
        with anyio.fail_after(20):
            rest = await anyio.to_thread.run_sync(self.pipe.read, abandon_on_cancel=True)
        self.pipe.close()
        assert rest == b""


async def _life(folder: Path) -> Life:
    """Wait until a process has said who it is."""

    def read() -> Life:
        pipe = (folder / "life").open("rb")
        return Life(int(pipe.readline()), pipe)

    with anyio.fail_after(20):
        return await anyio.to_thread.run_sync(read, abandon_on_cancel=True)


@pytest.fixture
def folder(files: Files) -> Path:
    """A tool that waits in one file, and a model in another."""
    made = files({"file.ts": LIVING, "model.ts": MODEL})
    os.mkfifo(made / "life")
    return made


DOCUMENT = SWARM.replace("file.ts#model", "model.ts#model")


@pytest.mark.requirement("wire:file:restarted", "wire:connection:lost")
async def test_a_process_that_dies_fails_what_waits_and_is_started_again(
    folder: Path, open_host: OpenHost
) -> None:
    answers: list[str] = []
    async with open_host(DOCUMENT) as host:

        async def talk() -> None:
            answers.append(await say(host, "wait"))

        for _ in range(4):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(talk)
                life = await _life(folder)
                os.kill(life.pid, signal.SIGKILL)
                await life.end()
        assert (await say(host, "live")).startswith("it said alive ")
    died = "it said error: file.ts: its Node process was ended by SIGKILL"
    # After several of them, the end is told with what came before it.
    assert answers == [died, died, died, f"{died}; it said last: last words"]


@pytest.mark.requirement("wire:file:restarted")
async def test_it_ends_with_its_host_while_a_tool_waits(folder: Path, open_host: OpenHost) -> None:
    lives: list[Life] = []
    async with open_host(DOCUMENT) as host, anyio.create_task_group() as tasks:
        tasks.start_soon(say, host, "wait")
        lives.append(await _life(folder))
        tasks.cancel_scope.cancel()
    await lives[0].end()


@pytest.mark.requirement("wire:file:restarted")
@pytest.mark.parametrize("how", ["return await new Promise(() => undefined);", "for (;;) {}"])
async def test_it_ends_with_a_core_that_is_killed(
    folder: Path, files: Files, home: Path, how: str
) -> None:
    waiting = LIVING.replace("return await new Promise(() => undefined);", how)
    document = files({"swarm.yaml": DOCUMENT, "file.ts": waiting}) / "swarm.yaml"
    core = await anyio.open_process(
        [sys.executable, "-m", "bindings.cli", "chat", str(document), "-m", "wait"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    life = await _life(folder)
    core.kill()
    await core.wait()
    await life.end()


async def test_one_that_does_not_stop_by_itself_is_stopped(
    files: Files, folder: Path, open_host: OpenHost
) -> None:
    files({"file.ts": LIVING + "export const chat = () => { live(); for (;;) {} };\n"})
    document = 'wikis: {w: {get_chat: "file.ts#chat"}}'
    lives: list[Life] = []
    async with open_host(document) as host, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: ask("w", "?", host=host))
        lives.append(await _life(folder))
        tasks.cancel_scope.cancel()
    await lives[0].end()


async def test_outside_of_a_tool_the_end_of_the_process_is_a_typed_error(
    files: Files, open_host: OpenHost
) -> None:
    files({"file.ts": "export const chat = () => process.exit(3);\n"})
    async with open_host('wikis: {w: {get_chat: "file.ts#chat"}}') as host:
        with pytest.raises(ConnectionLostError) as raised:
            await ask("w", "?", host=host)
    assert str(raised.value) == "file.ts: its Node process ended with status 3"


async def test_what_a_tool_throws_the_model_reads(files: Files, open_host: OpenHost) -> None:
    thrown = "export function tool() { throw new TypeError('out of stock'); }\n"
    files({"file.ts": MODEL + thrown})
    async with open_host(SWARM) as host:
        assert await say(host, "hello") == "it said error: TypeError: out of stock"


@pytest.mark.requirement("wire:file:bound")
async def test_all_missing_exports_are_told_at_once(files: Files, open_host: OpenHost) -> None:
    files({"file.ts": "export const modl = () => 1;\nexport const number = 3;\n"})
    async with open_host(SWARM) as host:
        said = (
            r"file\.ts has no function 'model', 'tool'; it exports modl \(did you mean 'modl'\?\)"
        )
        with pytest.raises(SetupError, match=said):
            await say(host, "hello")
        # What is mended is seen by the next question.
        files({"file.ts": MODEL + "export const tool = () => 'mended';\n"})
        assert await say(host, "hello") == "it said mended"


async def test_a_wrong_name_that_comes_later_disturbs_no_call(
    folder: Path, files: Files, open_host: OpenHost
) -> None:
    more = files({"more.yaml": "wikis: {w: {get_chat: file.ts#none}}"}) / "more.yaml"
    answers: list[str] = []
    lives: list[Life] = []
    async with open_host(DOCUMENT.replace("timeout: 20", "timeout: 3")) as host:

        async def talk() -> None:
            answers.append(await say(host, "wait"))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(talk)
            lives.append(await _life(folder))
            load(more, catalog=host.catalog)
            with pytest.raises(SetupError, match="has no function 'none'; it exports tool"):
                await ask("w", "?", host=host)
            assert (await say(host, "live", "other")) == f"it said alive {lives[0].pid}"
    await lives[0].end()
    assert answers == ["it said error: no output within 3 s"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("export const x = ;", "could not be loaded: "),
        ("throw new RangeError('no \\n luck');", "could not be loaded: RangeError: no"),
        ("import './none.js';", "could not be loaded: .*none"),
        ("console.error('bye'); process.exit(4);", "ended with status 4; it said last: bye"),
    ],
)
async def test_a_file_that_cannot_be_loaded_says_why(
    files: Files, open_host: OpenHost, text: str, said: str
) -> None:
    files({"file.ts": text})
    async with open_host(SWARM) as host:
        with pytest.raises(SetupError, match=said):
            await say(host, "hello")


async def test_many_that_wait_for_a_file_that_cannot_be_loaded_fail_together(
    files: Files, open_host: OpenHost
) -> None:
    count = """
import { appendFileSync } from "node:fs";
appendFileSync(new URL("./starts", import.meta.url), "x");
throw new Error("no luck");
"""
    folder = files({"file.ts": count})
    errors: list[str] = []

    async def talk(number: int) -> None:
        try:
            await say(host, "hello", f"client-{number}")
        except SetupError as error:
            errors.append(str(error))

    async with open_host(SWARM) as host, anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(talk, number)
    assert errors == ["file.ts could not be loaded: Error: no luck"] * 20
    assert len((folder / "starts").read_text(encoding="utf-8")) < 5


async def test_keys_do_not_show_in_what_a_process_says(
    files: Files, open_host: OpenHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_API_KEY", "sk-very-secret")
    files({"file.ts": "console.error(process.env.SHOP_API_KEY); process.exit(1);\n"})
    async with open_host(SWARM) as host:
        with pytest.raises(SetupError, match=r"it said last: \$\{SHOP_API_KEY\}"):
            await say(host, "hello")


async def test_the_package_has_to_be_installed(files: Files, open_host: OpenHost) -> None:
    folder = files({"file.ts": MODEL})
    (folder / "node_modules" / "wikiswarm").unlink()
    said = "needs the npm package wikiswarm, which is not installed; run: npm install --prefix"
    async with open_host(SWARM) as host:
        with pytest.raises(SetupError, match=said):
            await say(host, "hello")
