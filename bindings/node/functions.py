"""Functions of a document whose code runs in Node: `call: "discount.ts#discount"`.

Each stands in the declaration as a function of Python. When it is called it finds the open host,
whose one process for the file is started then, if it does not run.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from bindings.node.finding import SUFFIXES
from declarative.kinds import SECTIONS
from declarative.scripts import Script, SourceError, add_script_source
from swarm import Catalog, Host, Spec, ToolContext, current_catalog
from swarm.errors import ToolFailed
from swarm.host import open_host

if TYPE_CHECKING:
    from pathlib import Path

    from bindings.node.supervisor import SharedNode

__all__ = ["NodeFunction", "functions_of", "node_function"]

_INSIDE = ("get_similarity",)
"""Fields whose functions are called too often to ask another process."""

_of_host: "WeakKeyDictionary[Host, dict[Path, SharedNode]]" = WeakKeyDictionary()


class NodeFunction:
    """A function of a file, for one field of one declaration."""

    def __init__(self, script: Script) -> None:
        self.script = script
        # What messages call it.
        self.__name__ = self.__qualname__ = script.text

    async def ask(self, *arguments: object) -> Any:
        """Return what the function in Node returns.

        Raises:
            SetupError: Node, or what the file needs, is missing; or the file has no such export.
            ConnectionLostError: The process ended before it answered.
            RemoteError: The function threw.
            ToolFailed: One of the last two, where it is the function of a tool.
        """
        from bindings.rpc.errors import ConnectionLostError

        node = await _shared_node(open_host("a function in Node"), self.script)
        running = await node.running(self)
        try:
            return await running.function(self)(*arguments)
        except ConnectionLostError:
            raise await running.lost() from None
        except ToolFailed as failed:
            if isinstance(failed.__cause__, ConnectionLostError):
                raise ToolFailed(str(await running.lost())) from failed.__cause__
            raise


class _Plain(NodeFunction):
    async def __call__(self, *arguments: object) -> Any:
        return await self.ask(*arguments)


class _Tool(NodeFunction):
    """The function of a tool gets its arguments with the context, whatever they are called."""

    async def __call__(self, context: ToolContext) -> Any:
        return await self.ask(context)


def node_function(script: Script) -> "_Plain | _Tool":
    """Return the function that stands for one in Node.

    Raises:
        SourceError: The field's function has to be one of Python.
    """
    if script.field in _INSIDE:
        text = "vectors are compared inside the core; a function in Node cannot do it"
        raise SourceError(text, "use `similarity`, or a function in Python")
    is_call = script.kind == "tool" and script.field == "call"
    return _Tool(script) if is_call else _Plain(script)


def functions_of(catalog: Catalog) -> Iterator[NodeFunction]:
    """Yield every function of a catalog's declarations that runs in Node."""
    for kind in SECTIONS.values():
        for spec in catalog.registry(kind):
            yield from _inside(spec)


def _inside(value: object) -> Iterator[NodeFunction]:
    if isinstance(value, NodeFunction):
        yield value
    elif isinstance(value, Spec):
        for name in value.model_fields_set:
            yield from _inside(getattr(value, name))
    elif isinstance(value, list | tuple):
        for part in cast("list[object]", value):
            yield from _inside(part)


async def _shared_node(host: Host, script: Script) -> "SharedNode":
    nodes = _of_host.setdefault(host, {})
    known = nodes.get(script.file)
    if known is not None and not known.is_closed:
        return known

    async def start() -> "tuple[SharedNode, Callable[[], Any]]":
        from bindings.node.supervisor import SharedNode

        def every() -> Iterator[NodeFunction]:
            current = current_catalog()
            yield from functions_of(host.catalog)
            if current is not host.catalog and current.descends_from(host.catalog):
                yield from functions_of(current)

        node = SharedNode(host, script.file, every)

        async def stop() -> None:
            await node.aclose()
            # It knows its host, which would be kept for good.
            nodes.pop(script.file, None)

        return node, stop

    node = nodes[script.file] = await host.shared(f"node:{script.file}", start)
    return node


add_script_source(SUFFIXES, node_function)
