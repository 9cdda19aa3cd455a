"""A round that something else starts, such as an alarm of a watch."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import anyio

from finetune.loop.result import LoopResult
from finetune.loop.run import run_loop
from swarm import Catalog
from wiki import WIKIS

__all__ = ["loop_starter"]


def loop_starter(
    catalog: Catalog,
    *,
    home: Path,
    beside: Path | None = None,
    store: str | None = None,
    project: str | None = None,
    on_result: Callable[[LoopResult], None] | None = None,
) -> Callable[[str], None]:
    """Return a function that runs a round of the wiki that it is given, and waits for its end.

    It may be called from plain and from async programs: the round runs in a thread of its own. It
    raises what `run_loop` raises. Nobody is asked, so a wiki with `promote: ask` waits.

    Args:
        catalog: The declarations.
        home: The folder of the state.
        beside: The folder that the declarations' paths start from.
        store: The journal's database.
        project: Only rows of this project.
        on_result: Told how the round ended.
    """

    def start(wiki_name: str) -> None:
        wiki = catalog.registry(WIKIS).get(wiki_name)
        work = partial(run_loop, wiki, home=home, beside=beside, store=store, project=project)
        results: list[LoopResult] = []
        failures: list[BaseException] = []

        def in_thread() -> None:
            try:
                results.append(anyio.run(work))
            except BaseException as error:  # raised below, in the caller's thread
                failures.append(error)

        thread = threading.Thread(target=in_thread, name=f"loop-{wiki_name}")
        thread.start()
        thread.join()
        if failures:
            raise failures[0]
        if on_result is not None:
            on_result(results[0])

    return start
