"""The check of what wikis say under `loop:`; what reads it is loaded only where one says it."""

from collections.abc import Iterator

from swarm import Catalog
from swarm.errors import Problem
from wiki import WIKIS

__all__ = ["find_loop_problems"]


def find_loop_problems(catalog: Catalog) -> Iterator[Problem]:
    """Find settings of loops that no training, gate or packaging knows."""
    for wiki in catalog.registry(WIKIS):
        if wiki.loop is not None:
            from finetune.loop.settings import find_setting_problems

            yield from find_setting_problems(wiki)
