"""Groups of workers: which processes may load a model that is limited to some of them.

A process says which groups it belongs to by `WIKISWARM_GROUPS=gpu-eu,canary`. A wiki or a version
in the model registry names the groups that may load its model; without groups, every process may.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from wiki.errors import OutsideGroupsError

__all__ = ["GroupName", "check_groups", "own_groups"]

_VARIABLE = "WIKISWARM_GROUPS"

GroupName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""The name of a group, such as `gpu-eu`; it has no comma and no blank."""


def own_groups(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the groups that a process with this environment belongs to."""
    names = environment.get(_VARIABLE, "").split(",")
    return frozenset(name.strip() for name in names if name.strip())


def check_groups(groups: Sequence[str], environment: Mapping[str, str], model: str) -> None:
    """Do nothing when a process may load a model.

    Args:
        groups: The groups that may; none means that every process may.
        environment: The process's environment variables.
        model: The model's reference, for the error.

    Raises:
        OutsideGroupsError: The process belongs to none of them.
    """
    own = own_groups(environment)
    if groups and own.isdisjoint(groups):
        raise OutsideGroupsError(model, tuple(groups), tuple(sorted(own)))
