"""The conformance suite for journals: what a session relies on, whatever keeps its events."""

from collections.abc import Collection
from functools import partial

from swarm.testing.conformance import lease_cases, storage_cases
from swarm.testing.conformance.probe import JournalCase, JournalFactory
from swarm.testing.conformance.report import Report, run_cases

__all__ = ["journal_cases", "validate_journal"]


def journal_cases() -> tuple[str, ...]:
    """Return the names of all cases, in their order."""
    return tuple(_cases())


async def validate_journal(
    factory: JournalFactory, *, only: Collection[str] | None = None, seconds: float = 60.0
) -> Report:
    """Check that a journal does what `swarm.runtime.Journal` promises.

    Each call of the factory opens one more journal on the same store, as another process would;
    leaving its context closes it. One case calls it in an event loop of another thread. Sessions
    get fresh ids, so the store may hold others.

    ```python
    report = await validate_journal(open_journal)
    report.raise_failures()
    ```

    Args:
        factory: Takes `lease_seconds` and returns an async context manager of a journal.
        only: The names of the cases to run; all when absent.
        seconds: How long a case may take.
    """
    cases = {name: case for name, case in _cases().items() if only is None or name in only}
    unknown = sorted(set(only or ()) - set(cases))
    if unknown:
        raise ValueError(f"no such cases: {', '.join(unknown)}")
    promises = {name: (case.__doc__ or "").strip().split("\n")[0] for name, case in cases.items()}
    bound = {name: partial(case, factory) for name, case in cases.items()}
    return await run_cases(bound, promises, seconds=seconds)


def _cases() -> dict[str, JournalCase]:
    cases = (*storage_cases.CASES, *lease_cases.CASES)
    return {case.__name__: case for case in cases}
