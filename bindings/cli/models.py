"""`models`: the registry of trained models."""

from typing import TYPE_CHECKING, Annotated

import typer

from bindings.cli.options import HomeOption, JsonOption, resolve_home
from bindings.cli.output import command, done, print_json, print_table, say

if TYPE_CHECKING:
    from pathlib import Path

    from wiki import ModelRegistry, ModelVersion

__all__ = [
    "Model",
    "Reference",
    "alias",
    "app",
    "list_models",
    "open_registry",
    "promote",
    "rollback",
    "show",
    "show_duties",
    "unalias",
    "verify",
]

app = typer.Typer(help="The registry of trained models.", no_args_is_help=True)

Reference = Annotated[str, typer.Argument(help="NAME@VERSION or NAME@ALIAS.", show_default=False)]
Model = Annotated[str, typer.Argument(help="The model's name.", show_default=False)]


@app.command("list")
@command
def list_models(
    name: Annotated[str | None, typer.Argument(help="Only this model.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List models and their versions."""
    versions = open_registry(home).list(name)
    if as_json:
        print_json(versions)
        return
    rows = [
        (
            str(version),
            ", ".join(version.aliases) or "-",
            version.remote or f"{sum(file.size for file in version.manifest.files) / 1e6:.1f} MB",
            version.manifest.created_at.strftime("%Y-%m-%d %H:%M"),
            ", ".join(f"{key} {_number(value)}" for key, value in version.manifest.metrics.items()),
            version.manifest.sha256[:12],
        )
        for version in versions
    ]
    print_table(("version", "aliases", "size", "made", "metrics", "sha256"), rows)
    if not versions:
        say("no models yet; make one with: wikiswarm train, then wikiswarm package")


@app.command("show")
@command
def show(reference: Reference, home: HomeOption = None) -> None:
    """Show the manifest of a version and what its licence asks for, as JSON."""
    from finetune.licence import duties_of

    version = open_registry(home).get(reference)
    shown = version.model_dump(mode="json")
    print_json({**shown, "duties": duties_of(version).model_dump(mode="json")})


@app.command("promote")
@command
def promote(reference: Reference, home: HomeOption = None) -> None:
    """Put a version into service; what was live becomes previous."""
    registry = open_registry(home)
    version = registry.get(reference)
    registry.verify(version.name, version.version)
    registry.promote(version.name, version.version)
    show_duties(version)
    done(f"{version} is live")


@app.command("rollback")
@command
def rollback(name: Model, home: HomeOption = None) -> None:
    """Put the previous version back into service."""
    registry = open_registry(home)
    registry.rollback(name)
    done(f"{registry.get(f'{name}@live')} is live again")


@app.command("alias")
@command
def alias(
    reference: Reference,
    name: Annotated[str, typer.Argument(help="Such as candidate.", show_default=False)],
    home: HomeOption = None,
) -> None:
    """Let an alias such as candidate stand for a version."""
    registry = open_registry(home)
    version = registry.get(reference)
    registry.verify(version.name, version.version)
    registry.alias(version.name, name, version.version)
    done(f"{version.name}@{name} is {version}")


@app.command("unalias")
@command
def unalias(
    model: Model,
    name: Annotated[str, typer.Argument(help="Such as candidate.", show_default=False)],
    home: HomeOption = None,
) -> None:
    """Take an alias such as candidate away; the version stays."""
    event = open_registry(home).unalias(model, name)
    done(f"{model}@{name} was {model}@{event.version}, and is nothing now")


@app.command("verify")
@command
def verify(reference: Reference, home: HomeOption = None) -> None:
    """Compare every file of a version with the hash it was registered with."""
    registry = open_registry(home)
    version = registry.get(reference)
    registry.verify(version.name, version.version)
    done(f"{version}: {len(version.manifest.files)} files are as they were registered")


def open_registry(home: "Path | None") -> "ModelRegistry":
    """Return the registry of a home."""
    from swarm.errors import StoreError
    from wiki import ModelRegistry

    folder = resolve_home(home)
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is no folder; choose another with --home or WIKISWARM_HOME")
    return ModelRegistry(folder / "models")


def show_duties(version: "ModelVersion") -> None:
    """Say what the licence of a version asks for, beside the result."""
    from finetune.licence import duties_of

    for line in duties_of(version).lines():
        say(line)


def _number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
