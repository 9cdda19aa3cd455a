"""`add_advisor` and its like, and what `validate` says of advisors."""

from collections.abc import Iterator

from swarm.advisor.spec import ADVISORS, AdvisorSpec
from swarm.catalog import Catalog
from swarm.declare import declarer, getter, override
from swarm.direct import text_completion
from swarm.errors import DeclarationError, Problem, unknown_name
from swarm.extension import add_check, model_provider
from swarm.reference import parse_reference

__all__ = ["add_advisor", "find_advisor_problems", "get_advisor", "override_advisor"]

add_advisor = declarer(ADVISORS, AdvisorSpec)
get_advisor = getter(ADVISORS)
override_advisor = override(ADVISORS)


def find_advisor_problems(catalog: Catalog) -> Iterator[Problem]:
    """Find advisors whose model cannot be asked."""
    for spec in catalog.registry(ADVISORS):
        where = f"advisors.{spec.advisor_name}"
        if spec.completion is not None and spec.completion not in catalog.completions:
            known = catalog.completions.names
            yield unknown_name(f"{where}.completion", "completion", spec.completion, known)
        elif spec.completion is not None:
            try:
                text_completion(spec.completion, catalog)
            except DeclarationError as wrong:
                yield Problem(str(wrong), f"{where}.completion")
        if spec.model is not None:
            try:
                model_provider(parse_reference(spec.model).provider)
            except DeclarationError as wrong:
                yield Problem(str(wrong), f"{where}.model")


add_check(find_advisor_problems)
