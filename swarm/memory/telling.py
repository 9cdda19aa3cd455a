"""What happens to states, storages and computed values, told to the bus."""

from collections.abc import Mapping
from typing import Any

from swarm.bus import Bus, BusEvent
from swarm.memory.cells import CellKey

__all__ = ["publish"]


def publish(
    bus: Bus,
    kind: str,
    key: CellKey,
    input: Mapping[str, Any] | None = None,
    output: Mapping[str, Any] | None = None,
) -> None:
    """Publish something that happened; look at `bus.is_watched` before making what it tells.

    Args:
        bus: The catalog's bus.
        kind: One of the types of the bus of states, storages or computes.
        key: What it happened to; shared things have no client.
        input: What went in, by name.
        output: What came out, by name.
    """
    context = {f"{key.kind}_name": key.name}
    if key.swarm_name:
        context["swarm_name"] = key.swarm_name
    bus.publish(
        BusEvent(f"{key.kind}-bus", kind, key.client_id, input or {}, output or {}, context)
    )
