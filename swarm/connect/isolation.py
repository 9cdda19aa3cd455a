"""Runs a function apart from the rest: with a session of its own, or declarations of its own."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar, cast

from swarm.catalog import Catalog, current_catalog, use_catalog
from swarm.connect.errors import ClientLiveError
from swarm.connect.opening import open_as
from swarm.declare import with_fields
from swarm.errors import UnknownNameError
from swarm.functions import call, observe
from swarm.host import Host, use_host
from swarm.runtime.directory import live_sessions
from swarm.runtime.ids import check_client_id

__all__ = ["fork", "scope"]

Result = TypeVar("Result")


async def fork(
    run: Callable[[str, str], Awaitable[Result]] | Callable[[str, str], Result],
    *,
    client_id: str,
    swarm_name: str,
    on_error: Callable[[Exception], Any] | None = None,
    host: Host | None = None,
) -> Result:
    """Run a function with a session that is opened for it, in mode `scope`, and closed after it.

    Args:
        run: A function `(client_id, agent_name)`, plain or async; the verbs find its session by
            the client id.
        client_id: A client of its own, such as `report-7`.
        swarm_name: The swarm of the session.
        on_error: A function that is told of an error before it reaches the caller.
        host: The host; the one that is open when absent.

    Returns:
        What the function returns.

    Raises:
        ClientLiveError: The client has a live session already.
        SessionError: Another process has the conversation open.
        Exception: Whatever the function raises.
    """
    for other in live_sessions(check_client_id(client_id)):
        raise ClientLiveError(client_id, other.plan.spec.swarm_name)
    try:
        async with use_host(host) as used, open_as("scope", client_id, swarm_name, used) as session:
            return cast("Result", await call(run, client_id, session.agent_name))
    except Exception as error:
        await observe(on_error, error, place="fork")
        raise


async def scope(
    run: Callable[[], Awaitable[Result]] | Callable[[], Result],
    **overrides: Mapping[str, Mapping[str, Any]],
) -> Result:
    """Run a function with a copy of the declarations.

    What it adds or overrides holds for the sessions that it opens, and is gone afterwards.

    ```python
    await scope(try_it, completion={"model": {"model": "offline"}})
    ```

    Args:
        run: The function, plain or async.
        overrides: By kind, such as `agent`: the fields to replace, by the name of the
            declaration; the other fields stay.

    Returns:
        What the function returns.

    Raises:
        UnknownNameError: Nothing declares a name of the overrides.
        ValidationError: A field of the overrides is unknown or of the wrong type.
        Exception: Whatever the function raises.
    """
    catalog = current_catalog().copy()
    for kind_name, declarations in overrides.items():
        for name, fields in declarations.items():
            _replace(catalog, kind_name, name, fields)
    with use_catalog(catalog):
        return cast("Result", await call(run))  # what the function's own type says


def _replace(catalog: Catalog, kind_name: str, name: str, fields: Mapping[str, Any]) -> None:
    kinds = {kind.name: kind for kind in catalog.kinds}
    if kind_name not in kinds:
        raise UnknownNameError("kind", kind_name, list(kinds))
    kind = kinds[kind_name]
    registry = catalog.registry(kind)
    registry.replace(with_fields(kind, registry.get(name), fields))
