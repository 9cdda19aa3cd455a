"""`doctor`: what is missing, retired or unsafe in this setup."""

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from bindings.cli.options import HomeOption, JsonOption, StoreOption, resolve_home, resolve_store
from bindings.cli.output import command, print_json, print_table, say

if TYPE_CHECKING:
    from swarm import Catalog

__all__ = ["Finding", "Verdict", "doctor", "prices_finding"]

Verdict = Literal["ok", "missing", "warning", "error"]


_OLDEST_PRICES = 180
"""Days after which prices have most likely changed."""


class Finding(NamedTuple):
    """One line of the report."""

    verdict: Verdict
    subject: str
    detail: str


@command
def doctor(
    file: Annotated[Path | None, typer.Argument(help="A document to look into as well.")] = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what is missing, retired or unsafe; a missing extra or key is no error by itself."""
    folder = resolve_home(home)
    findings = [
        *_machine(folder, resolve_store(store)),
        *_extras(),
        *_keys(),
        *_services(),
        *_prices(),
        *(_document(file, folder) if file is not None else []),
    ]
    if as_json:
        print_json([finding._asdict() for finding in findings])
    else:
        print_table(("", "what", "detail"), findings)
    wrong = [finding for finding in findings if finding.verdict == "error"]
    if wrong:
        say(f"{len(wrong)} problem{'s' if len(wrong) != 1 else ''}")
        is_machine = any(finding.subject != str(file) for finding in wrong)
        raise typer.Exit(3 if is_machine else 1)


def _machine(home: Path, store: str | None) -> list[Finding]:
    from swarm.errors import SetupError
    from swarm.store import open_database

    version = ".".join(map(str, sys.version_info[:3]))
    found = [Finding("ok", "python", version)]
    try:
        database = open_database(home, store)
        database.close()
        place = database.place if store else f"{home.resolve()}"
        found.append(Finding("ok", "store" if store else "home", f"{place} can be written"))
    except SetupError as error:
        found.append(Finding("error", "store" if store else "home", str(error)))
    return found


def _extras() -> list[Finding]:
    import importlib.util
    from importlib.metadata import PackageNotFoundError, version

    extras = {
        "openai": "openai",
        "cohere": "cohere",
        "litellm": "litellm",
        "chroma": "chromadb",
        "postgres": "psycopg",
        "evaluate": "sacrebleu",
        "gguf": "xllamacpp",
        "train": "trl",
        "unsloth": "unsloth",
    }
    found: list[Finding] = []
    for extra, package in extras.items():
        if importlib.util.find_spec(package) is None:
            detail = f"pip install 'wikiswarm[{extra}]'"
            found.append(Finding("missing", f"extra {extra}", detail))
            continue
        try:
            detail = f"{package} {version(package)}"
        except PackageNotFoundError:
            detail = package
        found.append(Finding("ok", f"extra {extra}", detail))
    return found


def _keys() -> list[Finding]:
    from swarm.environment import read_environment

    environment = read_environment()
    return [
        Finding("ok", name, "is set")
        if environment.get(name)
        else Finding("missing", name, "not set; hosted models of this provider need it")
        for name in ("OPENAI_API_KEY", "COHERE_API_KEY")
    ]


def _services() -> list[Finding]:
    from swarm.completions.retired import SERVICES

    return [Finding("warning", service.name, service.detail) for service in SERVICES]


def prices_finding(count: int, month: str, today: date) -> Finding:
    """Return what to say of a table of prices that was read in a month, `YYYY-MM`."""
    # The day is not known, so the month's first counts.
    age = (today - date.fromisoformat(f"{month}-01")).days
    detail = f"of {count} models, read in {month}"
    if age <= _OLDEST_PRICES:
        return Finding("ok", "prices", detail)
    hint = "update wikiswarm, or name your own in WIKISWARM_PRICES"
    return Finding("warning", "prices", f"{detail}, {age} days ago; {hint}")


def _prices() -> list[Finding]:
    from swarm.completions.prices import PriceTable, shipped_date, shipped_prices
    from swarm.environment import read_environment
    from swarm.errors import DataError

    today = datetime.now(UTC).date()
    found = [prices_finding(len(shipped_prices()), shipped_date(), today)]
    own = read_environment().get("WIKISWARM_PRICES")
    if own:
        try:
            detail = f"{own}: {len(PriceTable(own).own)} models"
            found.append(Finding("ok", "WIKISWARM_PRICES", detail))
        except DataError as error:
            found.append(Finding("error", "WIKISWARM_PRICES", str(error)))
    return found


def _document(file: Path, home: Path) -> list[Finding]:
    from declarative import check, load
    from swarm import Catalog
    from swarm.environment import read_environment

    environment = read_environment()
    report = check(file, environment=environment)
    if report.problems:
        return [Finding("error", str(file), str(problem)) for problem in report.problems]
    catalog = load(file, catalog=Catalog(), environment=environment)
    return [
        Finding("ok", str(file), "no problems"),
        *_node(catalog),
        *_retired_models(catalog, home),
    ]


def _node(catalog: "Catalog") -> list[Finding]:
    """Say what the files lack whose functions run in Node."""
    from bindings.node import functions_of
    from bindings.node.finding import host_command
    from swarm.errors import SetupError

    found: list[Finding] = []
    for path in sorted({one.script.file for one in functions_of(catalog)}):
        try:
            found.append(Finding("ok", path.name, f"runs in {host_command(path)[0]}"))
        except SetupError as error:
            found.append(Finding("error", path.name, str(error)))
    return found


def _retired_models(catalog: "Catalog", home: Path) -> list[Finding]:
    from finetune.retired import retired_models

    return [
        Finding("warning", found.where, f"{found.model}: {found.retirement.detail}")
        for found in retired_models(catalog, home)
    ]
