"""Which keys a catalog was loaded with, so that its documentation shows none of them."""

from collections.abc import Mapping
from weakref import WeakKeyDictionary

from swarm import Catalog

__all__ = ["remember", "remembered"]

_of_catalog: "WeakKeyDictionary[Catalog, dict[str, str]]" = WeakKeyDictionary()


def remember(catalog: Catalog, secrets: Mapping[str, str]) -> None:
    """Note the keys of the environment that a catalog was loaded with."""
    _of_catalog.setdefault(catalog, {}).update(secrets)


def remembered(catalog: Catalog) -> dict[str, str]:
    """Return the keys noted for a catalog."""
    return dict(_of_catalog.get(catalog, {}))
