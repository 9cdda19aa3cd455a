"""`package`: a run as GGUF, as a version in the registry or as files in a folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from bindings.cli.models import open_registry, show_duties
from bindings.cli.options import HomeOption, JsonOption
from bindings.cli.output import command, done, print_json, print_table, say
from bindings.cli.training import RunArgument

if TYPE_CHECKING:
    from pydantic import JsonValue

    from finetune.package import Package, Quantisation
    from wiki import ModelRegistry, ModelVersion

__all__ = ["package"]


class _Terms(NamedTuple):
    """Who may use a version, and how."""

    licence: str | None
    groups: tuple[str, ...]


@command
def package(
    run: RunArgument,
    name: Annotated[str, typer.Option(help="The model's name.")],
    quantization: Annotated[
        list[str] | None,
        typer.Option(
            help="f16, q8_0, q6_k, q5_k_m, q4_k_m and more; smaller is less exact. q8_0 else."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Write files here, one for each --quantization, and register nothing."),
    ] = None,
    promote: Annotated[bool, typer.Option(help="Put the version into service.")] = False,
    ollama: Annotated[
        bool, typer.Option(help="Make a model of it in Ollama, under the same name.")
    ] = False,
    parity: Annotated[
        int,
        typer.Option(help="Conversations that trainer and server must read alike.", min=0),
    ] = 500,
    licence: Annotated[
        str | None,
        typer.Option(help="The weights' licence, such as llama-3.2; what the base says else."),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(help="Only workers of this group may load it (WIKISWARM_GROUPS); repeatable."),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a run as GGUF and register it as the next version of a model."""
    import anyio

    from finetune.package import PackagingError, parse_quantisation

    try:
        kinds: list[Quantisation] = [parse_quantisation(text) for text in quantization or ["q8_0"]]
    except PackagingError as unknown:
        say(f"error: {unknown}")
        raise typer.Exit(2) from None
    if output is None and len(kinds) > 1:
        say("error: a version has one file of weights; several --quantization need --output")
        raise typer.Exit(2)
    if output is not None and (promote or group):
        say("error: --promote and --group are for a version, and --output registers none")
        raise typer.Exit(2)
    if output is not None:
        found = anyio.run(_write, run, name, output, kinds, ollama, licence)
        if as_json:
            print_json(found)
        else:
            _show_files(found, output, in_ollama=ollama)
        return
    registry = open_registry(home)
    terms = _Terms(licence, tuple(group or ()))
    version = anyio.run(_register, run, name, registry, kinds[0], parity, ollama, terms)
    if promote:
        registry.promote(version.name, version.version)
        version = registry.get(str(version))
    if not version.manifest.metrics:
        say(f"warning: {run} was never evaluated; see: wikiswarm evaluate {run} QUESTIONS")
    elif not any(version.manifest.metrics.values()):
        say("warning: not one of its answers was exactly right in its evaluation")
    show_duties(version)
    if as_json:
        print_json(version)
        return
    size = sum(file.size for file in version.manifest.files) / 1e6
    done(f"{version}: {size:.1f} MB, sha256 {version.manifest.sha256[:12]}, {version.path}")
    if ollama:
        say(f'next: ollama run {version.name} "QUESTION"')
    if promote:
        done(f"{version} is live")
    else:
        say(f"next: wikiswarm models promote {version}")


async def _register(
    run: Path,
    name: str,
    registry: "ModelRegistry",
    kind: "Quantisation",
    parity: int,
    ollama: bool,
    terms: _Terms,
) -> "ModelVersion":
    from anyio import to_thread

    from finetune import publish
    from finetune.package import create_in_ollama

    metrics = await to_thread.run_sync(_metrics, run)
    version = await publish(
        run,
        name,
        registry,
        quantisation=kind,
        metrics=metrics,
        licence=terms.licence,
        groups=terms.groups,
        parity_conversations=parity,
    )
    if ollama:
        await create_in_ollama(name, version.path / "Modelfile")
    return version


async def _write(
    run: Path,
    name: str,
    output: Path,
    kinds: "list[Quantisation]",
    ollama: bool,
    licence: str | None,
) -> "Package":
    from finetune.package import create_in_ollama, package_run
    from swarm.errors import DataError

    found = await package_run(run, output, name=name, quantisations=kinds, licence=licence)
    for file in found.files if ollama else ():
        if file.modelfile is None:
            raise DataError(f"{file.name}: its chat template has no Ollama form here")
        await create_in_ollama(f"{name}:{file.quantisation}", output / file.modelfile)
    return found


def _show_files(found: "Package", output: Path, *, in_ollama: bool) -> None:
    rows = [
        (file.quantisation, f"{file.bytes / 1e6:.2f} MB", file.sha256[:12], output / file.name)
        for file in found.files
    ]
    print_table(["quantization", "size", "sha256", "file"], rows)
    if found.notice is not None:
        say(f"{output / found.notice}: goes with the weights to whoever gets them")
    elif found.licence is None:
        say("warning: nobody said which licence the base has; find out, and give --licence")
    named = next((file for file in found.files if file.modelfile), None)
    if named is None:
        return
    model = f"{found.name}:{named.quantisation}"
    if not in_ollama:
        say(f"next: ollama create {model} -f {output / (named.modelfile or '')}")
    say(f'next: ollama run {model} "QUESTION"')


def _metrics(run: Path) -> "dict[str, JsonValue]":
    """Return what the evaluations of a run found, by the part that was asked."""
    from pydantic import ValidationError

    from finetune import EvaluationReport
    from swarm.errors import DataError

    found: dict[str, JsonValue] = {}
    for part in ("train", "held_out", "test"):
        report = run / "evaluations" / part / "report.json"
        if report.is_file():
            try:
                known = EvaluationReport.model_validate_json(report.read_bytes())
            except ValidationError:
                raise DataError(f"{report} is damaged; evaluate again") from None
            found[f"exact_{part}"] = known.accuracy
    return found
