"""`models compare`: two versions by what people thought of their answers."""

from typing import TYPE_CHECKING, Annotated

import typer

from bindings.cli.models import Model, open_registry
from bindings.cli.options import (
    HomeOption,
    JsonOption,
    ProjectOption,
    StoreOption,
    resolve_home,
    resolve_project,
)
from bindings.cli.output import command, done, print_json, print_table, say
from bindings.cli.runs import with_database

if TYPE_CHECKING:
    from swarm.store import Database
    from wiki import ModelRegistry
    from wiki.ratings import RatingComparison

__all__ = ["compare"]


@command
def compare(
    name: Model,
    candidate: Annotated[
        str | None,
        typer.Option(help="VERSION or ALIAS; candidate else, or live where there is none."),
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="VERSION or ALIAS; live else, or previous.")
    ] = None,
    wiki: Annotated[str | None, typer.Option(help="Only answers of this wiki.")] = None,
    minimum_clients: Annotated[
        int, typer.Option(help="Fewer clients for one version decide nothing.", min=1)
    ] = 20,
    confidence: Annotated[
        float,
        typer.Option(help="0.95: chance alone decides once in 20 times.", min=0.51, max=0.999),
    ] = 0.95,
    project: ProjectOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether people rated one version better or worse than another."""
    new, old = _versions(open_registry(home), name, candidate, against)

    async def work(database: "Database") -> "RatingComparison":
        from wiki.ratings import compare_ratings

        return await compare_ratings(
            database,
            new,
            old,
            wiki_name=wiki,
            project=resolve_project(project),
            confidence=confidence,
            minimum_clients=minimum_clients,
        )

    found = with_database(resolve_home(home), work, store)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            side.version,
            side.answers,
            side.stepped_in,
            side.rated,
            side.clients,
            "-" if side.mean is None else f"{side.mean:.2f}",
        )
        for side in (found.candidate, found.live)
    ]
    print_table(("version", "answers", "stepped in", "rated", "clients", "mean"), rows)
    done(f"{new} against {old}: {found.verdict}; {found.reason}")
    if found.both:
        say(f"{found.both} clients rated both versions and are not counted")
    if found.superiority is not None and not found.is_randomised:
        say("warning: not all answers are from a trial; what else changed between them counts too")


def _versions(
    registry: "ModelRegistry", name: str, candidate: str | None, against: str | None
) -> tuple[str, str]:
    aliases = {alias for version in registry.list(name) for alias in version.aliases}
    has_candidate = "candidate" in aliases
    new = candidate or ("candidate" if has_candidate else "live")
    old = against or ("previous" if candidate is None and not has_candidate else "live")
    return str(registry.get(f"{name}@{new}")), str(registry.get(f"{name}@{old}"))
