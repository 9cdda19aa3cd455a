"""`dataset archive`: a dataset version, or a folder, to a safe place."""

from pathlib import Path
from typing import Annotated

import typer

from bindings.cli.options import HomeOption, JsonOption, resolve_home
from bindings.cli.output import command, counted, done, print_json, say

__all__ = ["archive"]

_BACKENDS = ("local", "s3", "gcs")


@command
def archive(
    source: Annotated[
        str, typer.Argument(help="A folder, a file, or the name of a version.", show_default=False)
    ],
    bucket: Annotated[
        str, typer.Option(help="The bucket; for local the folder.", show_default=False)
    ],
    backend: Annotated[str, typer.Option(help="local, s3 or gcs.")] = "local",
    prefix: Annotated[str, typer.Option(help="What all names begin with.")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy files to a folder or a bucket, verify every byte, and go on where it was interrupted."""
    import anyio

    from finetune.archive import Backend
    from finetune.archive import archive as copy
    from finetune.dataset.versions import verify

    if backend not in _BACKENDS:
        say(f"error: --backend is one of {', '.join(_BACKENDS)}")
        raise typer.Exit(2)
    path = Path(source)
    if not path.exists():
        path = verify(resolve_home(home) / "datasets", source).path
    kinds: dict[str, Backend] = {"local": "local", "s3": "s3", "gcs": "gcs"}

    async def run() -> None:
        found = await copy(path, kinds[backend], bucket=bucket, prefix=prefix)
        if as_json:
            print_json(found)
            return
        done(
            f"{found.url}: {counted(len(found.files), 'file')}, {found.bytes:,} bytes,"
            f" {found.uploaded} copied now, all verified"
        )

    anyio.run(run)
