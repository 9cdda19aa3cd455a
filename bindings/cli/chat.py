"""`chat` and `ask`: talking to a swarm, asking one wiki."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bindings.cli.options import FileArgument, HomeOption, JsonOption, StoreOption, resolve_home
from bindings.cli.output import command, done, fail, plain, print_json, print_json_line, say

if TYPE_CHECKING:
    from swarm import Catalog, Message, Session

__all__ = ["ask", "chat"]


@command
def chat(
    file: FileArgument,
    swarm: Annotated[str | None, typer.Option(help="Which swarm, if there are several.")] = None,
    client: Annotated[str, typer.Option(help="Whose conversation.")] = "local",
    message: Annotated[
        list[str] | None, typer.Option("--message", "-m", help="Send this and print the answer.")
    ] = None,
    stream: Annotated[bool, typer.Option(help="Print the answer while it is written.")] = True,
    history: Annotated[bool, typer.Option(help="Print the conversation so far, first.")] = False,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Talk to a swarm; the conversation goes on where it ended."""
    import anyio

    catalog = _load(file)
    name = _swarm_name(catalog, swarm)
    anyio.run(
        _chat, catalog, name, client, message, stream and not as_json, history, resolve_home(home),
        store, as_json,
    )  # fmt: skip


@command
def ask(
    file: FileArgument,
    wiki: Annotated[str, typer.Argument(help="The wiki's name.", show_default=False)],
    question: Annotated[str, typer.Argument(help="What to ask.", show_default=False)],
    model: Annotated[
        str | None,
        typer.Option(metavar="REFERENCE", help="Who answers in place of the wiki's own model."),
    ] = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask one wiki; says which model answered."""
    import anyio

    anyio.run(_ask, _load(file), wiki, question, model, resolve_home(home), store, as_json)


async def _ask(
    catalog: "Catalog",
    wiki_name: str,
    question: str,
    model: str | None,
    home: Path,
    store: str | None,
    as_json: bool,
) -> None:
    from swarm import Host
    from wiki import ask as ask_wiki

    question = question.encode(errors="replace").decode()
    async with Host(catalog=catalog, home=home, store=store) as host:
        answer = await ask_wiki(wiki_name, question, model=model, host=host)
    if as_json:
        print_json(answer)
        return
    done(answer.text)
    sure = f", confidence {answer.confidence:.2f}" if answer.confidence is not None else ""
    fallback = ", fallback" if answer.is_fallback else ""
    say(f"({answer.model}{fallback}{sure}, {answer.seconds:.2f} s)")


async def _chat(
    catalog: "Catalog",
    swarm_name: str,
    client: str,
    messages: list[str] | None,
    is_streamed: bool,
    with_history: bool,
    home: Path,
    store: str | None,
    as_json: bool,
) -> None:
    from swarm import Host, session
    from swarm.errors import ProviderError, TurnError

    async with (
        Host(catalog=catalog, home=home, store=store) as host,
        session(client, swarm_name, host=host) as talk,
    ):
        if with_history or (messages is None and not as_json):
            _print_history(talk.history.messages, as_json=as_json)
        code = 0
        for text in messages if messages is not None else _prompt():
            try:
                await _send(talk, text, is_streamed=is_streamed, as_json=as_json)
                code = 0
            except (ProviderError, TurnError) as error:
                # The conversation goes on; the exit code tells how the last message fared.
                code = fail(error)
        if code:
            raise typer.Exit(code)


async def _send(talk: "Session", text: str, *, is_streamed: bool, as_json: bool) -> None:
    from swarm import Answered, HandedOff, TextDelta, ToolFinished, ToolStarted

    # What no UTF-8 is, a shell hands over as half characters.
    text = text.encode(errors="replace").decode()
    if as_json:
        async for event in talk.stream(text):
            if isinstance(event, Answered):
                print_json_line(
                    {
                        "run_id": event.run_id,
                        "agent_name": event.agent_name,
                        "answer": event.text,
                        "usage": event.usage,
                    }
                )
        return
    if not is_streamed:
        done(await talk.complete(text))
        return
    shown = ""
    async for event in talk.stream(text):
        if isinstance(event, TextDelta):
            piece = plain(event.text)
            print(piece, end="", flush=True)
            shown += piece
        elif isinstance(event, ToolStarted):
            if shown:
                print()
            shown = ""
            say(f"  calls {event.tool_name}({event.arguments})")
        elif isinstance(event, ToolFinished) and event.is_error:
            say(f"  {event.tool_name}: {event.output}")
        elif isinstance(event, HandedOff):
            say(f"  {event.from_agent} hands over to {event.to_agent}")
        elif isinstance(event, Answered):
            # What was streamed may differ from the answer, when a tool gave one of its own.
            if shown.strip() != plain(event.text).strip():
                print(("\n" if shown else "") + plain(event.text), end="")
            print(flush=True)  # whoever reads a pipe waits for it
            say(f"  run {event.run_id}")


def _prompt() -> Iterator[str]:
    is_terminal = sys.stdin.isatty()
    while True:
        if is_terminal:
            print("> ", end="", flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        if line.strip():
            yield line.strip()


def _print_history(messages: "list[Message]", *, as_json: bool) -> None:
    if as_json:
        print_json_line({"history": messages})
        return
    for message in messages:
        if message.role == "user" and message.mode == "user":
            done(f"> {message.content}")
        elif message.role == "assistant" and message.content:
            done(message.content)


def _load(file: Path) -> "Catalog":
    from declarative import load
    from swarm import Catalog
    from swarm.environment import read_environment

    return load(file, catalog=Catalog(), environment=read_environment())


def _swarm_name(catalog: "Catalog", name: str | None) -> str:
    from swarm.errors import DeclarationError

    names = catalog.swarms.names
    if name is not None:
        return catalog.swarms.get(name).swarm_name
    if len(names) != 1:
        found = ", ".join(names) or "none"
        raise DeclarationError(f"name a swarm with --swarm; the document declares: {found}")
    return names[0]
