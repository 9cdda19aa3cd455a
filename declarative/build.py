"""Loads a YAML document into a catalog, or says everything that is wrong with it.

Loading runs the Python modules that the document names, and nothing else.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from declarative.kinds import SECTIONS
from declarative.loops import find_loop_problems
from declarative.make import make_spec
from declarative.project import Project, read_project
from declarative.secrets import remember
from declarative.source import Source
from swarm import Catalog, Spec, current_catalog
from swarm.errors import Problem, ValidationError
from swarm.extension import add_check
from swarm.secrets import hide, secrets_of
from swarm.validate import find_problems

__all__ = ["Report", "check", "load"]


class Report(NamedTuple):
    """What a check found."""

    problems: tuple[Problem, ...]
    """By file, line and column; empty when the document is right."""
    counts: dict[str, int]
    """How many names each section declares."""


class _Built(NamedTuple):
    specs: dict[str, Spec]
    """By path, in the order of the document."""
    report: Report


def load(
    path: str | Path,
    *,
    catalog: Catalog | None = None,
    environment: Mapping[str, str] | None = None,
    allow_modules: Sequence[str] = (),
) -> Catalog:
    """Add everything that a YAML document declares to a catalog, and return the catalog.

    Names may refer to what the catalog holds already. When anything is wrong, nothing is added.

    Args:
        path: The document.
        catalog: Where the declarations go; the current catalog when absent.
        environment: The variables for `${NAME}`; those of the process when absent.
        allow_modules: Installed modules, with all below them, that `call` and other callbacks may
            name beside the modules under the document's own folder.

    Raises:
        ValidationError: Something is wrong; `problems` has all of it, each with file, line and
            column.
    """
    into = current_catalog() if catalog is None else catalog
    variables = os.environ if environment is None else environment
    specs, report = _build(Path(path), into, variables, allow_modules)
    if report.problems:
        raise ValidationError(report.problems)
    for where, spec in specs.items():
        into.registry(SECTIONS[where.partition(".")[0]]).add(spec)
    remember(into, secrets_of(variables))
    return into


def check(
    path: str | Path,
    *,
    environment: Mapping[str, str] | None = None,
    allow_modules: Sequence[str] = (),
) -> Report:
    """Return everything that is wrong with a YAML document, on its own.

    Args:
        path: The document.
        environment: The variables for `${NAME}`; those of the process when absent.
        allow_modules: As for `load`.
    """
    variables = os.environ if environment is None else environment
    return _build(Path(path), Catalog(), variables, allow_modules).report


def _build(
    path: Path, base: Catalog, environment: Mapping[str, str], allow_modules: Sequence[str]
) -> _Built:
    secrets = secrets_of(environment)
    project = read_project(path, environment)
    source = Source(project.root, allow_modules=allow_modules, secrets=secrets)
    specs: dict[str, Spec] = {}
    is_whole = True
    for where, declaration in project.declarations.items():
        kind = SECTIONS[declaration.section]
        if declaration.name in base.registry(kind):
            problem = Problem(f"{kind.name} {declaration.name!r} is declared already", where)
            project.report(problem._replace(hint="the program declared it before loading this"))
        if where in project.broken:
            continue
        made = make_spec(declaration, source)
        is_whole = is_whole and not made.problems
        for problem in made.problems:
            project.report(problem)
        if made.spec is None:
            project.broken.add(where)
        else:
            specs[where] = made.spec
    if project.is_readable:
        _check_references(project, base, specs, is_whole=is_whole)
    counts = dict.fromkeys(SECTIONS, 0)
    for declaration in project.declarations.values():
        counts[declaration.section] += 1
    problems = tuple(_without_keys(problem, secrets) for problem in project.sorted_problems())
    return _Built(specs, Report(problems, counts))


def _check_references(
    project: Project, base: Catalog, specs: Mapping[str, Spec], *, is_whole: bool
) -> None:
    """Check the names between declarations, those of the base catalog included."""
    catalog = Catalog()
    for section, kind in SECTIONS.items():
        registry = catalog.registry(kind)
        own = [spec for where, spec in specs.items() if where.startswith(f"{section}.")]
        for spec in own:
            registry.add(spec)
        for spec in base.registry(kind):
            if getattr(spec, kind.key) not in registry:
                registry.add(spec)
    # A name whose declaration is wrong is declared nevertheless.
    declared = {
        f"no {SECTIONS[declaration.section].name} named {declaration.name!r}"
        for declaration in project.declarations.values()
    }
    for problem in find_problems(catalog):
        if project.owner(problem.where) is None or problem.message in declared:
            continue
        # Without the hand-offs of a wrong declaration, an exit may only seem to be missing.
        if (is_whole and not project.broken) or "cycle" not in problem.message:
            project.report(problem)


def _without_keys(problem: Problem, secrets: Mapping[str, str]) -> Problem:
    hint = hide(problem.hint, secrets) if problem.hint else problem.hint
    return problem._replace(message=hide(problem.message, secrets), hint=hint)


add_check(find_loop_problems)
