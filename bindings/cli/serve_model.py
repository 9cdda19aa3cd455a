"""`models serve`: a model on a port of this machine, for other programs."""

from typing import TYPE_CHECKING, Annotated

import typer

from bindings.cli.options import HomeOption, resolve_home
from bindings.cli.output import command, done

if TYPE_CHECKING:
    from wiki.serving import Program

__all__ = ["serve_model"]


@command
def serve_model(
    source: Annotated[
        str, typer.Argument(help="NAME@ALIAS, or gguf/FILE.gguf.", show_default=False)
    ],
    port: Annotated[int, typer.Option(help="0 takes any that is free.", min=0, max=65_535)] = 8001,
    program: Annotated[
        str, typer.Option(help="llama-server, engine, or auto for the first that is there.")
    ] = "auto",
    home: HomeOption = None,
) -> None:
    """Serve a model to other programs until Ctrl-C, and start it again when it dies."""
    import anyio

    from wiki.serving import serve_model as serve

    programs: dict[str, Program] = {
        "auto": "auto",
        "engine": "engine",
        "llama-server": "llama-server",
    }
    if program not in programs:
        raise typer.BadParameter(", ".join(programs), param_hint="--program")
    reference = source if source.startswith(("gguf/", "registry/")) else f"registry/{source}"

    async def run() -> None:
        async with serve(
            reference, port=port, program=programs[program], home=resolve_home(home)
        ) as server:
            arguments = server.completion()
            done(f"{arguments['model']} listens on {server.base_url}")
            await server.wait()

    anyio.run(run)
