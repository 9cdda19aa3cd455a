"""The documentation of a catalog as a folder of pages that lead to each other.

A page is put in its place whole, and the page of something that is gone is removed; files that
were not written here stay as they are.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from declarative.describe.agents import agent_blocks
from declarative.describe.document import as_text, note_sections, sections
from declarative.describe.mermaid import mermaid
from declarative.describe.outlines import outline_blocks
from declarative.describe.places import Places
from declarative.describe.swarms import swarm_blocks
from declarative.describe.writer import Writer, fenced, heading, table
from swarm import Catalog, Kind
from swarm.catalog import AGENTS, SWARMS, TOOLS
from swarm.errors import StoreError
from swarm.outline import OUTLINES

__all__ = ["INDEX", "pages", "write_pages"]

INDEX = "index.md"
_MARK = "<!-- written by wikiswarm; changes are lost -->"
_FOLDERS: dict[str, Kind[Any]] = {"swarms": SWARMS, "agents": AGENTS, "outlines": OUTLINES}


def pages(catalog: Catalog, secrets: dict[str, str]) -> dict[str, str]:
    """Return the text of each page, by its path in the folder; the index is the last."""
    names: dict[str, dict[str, str]] = {}
    places = Places()
    for folder, kind in _FOLDERS.items():
        names[folder] = _files(folder, catalog.registry(kind).names)
        places.add_page(kind, names[folder])
    note_sections(catalog, places, INDEX)
    made: dict[str, Iterable[str]] = {}
    for swarm in catalog.swarms:
        page = names["swarms"][swarm.swarm_name]
        made[page] = swarm_blocks(Writer(catalog, places, secrets, page), swarm)
    for agent in catalog.agents:
        page, own = names["agents"][agent.agent_name], places.copy()
        for tool in dict.fromkeys(agent.tools):
            own.add(TOOLS, tool, page, f"Tool {tool}")
        made[page] = agent_blocks(Writer(catalog, own, secrets, page), agent, set(), has_graph=True)
    for outline in catalog.registry(OUTLINES):
        page = names["outlines"][outline.outline_name]
        made[page] = outline_blocks(Writer(catalog, places, secrets, page), outline)
    back = f"[All of it](../{INDEX})"
    written = {page: as_text([_MARK, *blocks, back]) for page, blocks in made.items()}
    index = _index(Writer(catalog, places, secrets, INDEX))
    return {**written, INDEX: as_text([_MARK, *index])}


def write_pages(texts: dict[str, str], folder: Path) -> list[Path]:
    """Write pages, and remove those that were written here before and are no more.

    Raises:
        StoreError: A page cannot be written, or its place is outside of the folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        home = folder.resolve()
        written = [_write(home, page, text) for page, text in texts.items()]
        for name in _FOLDERS:
            for path in sorted((home / name).glob("*.md")):
                if path not in written and _is_ours(path):
                    path.unlink()
    except OSError as error:
        raise StoreError(f"cannot write {folder}: {error.strerror or error}") from error
    return [folder / page for page in texts]


def _files(folder: str, names: Iterable[str]) -> dict[str, str]:
    """Return a path for each name; names may differ in nothing but upper and lower case."""
    found: dict[str, str] = {}
    taken = set[str]()
    for name in names:
        path, number = f"{folder}/{name}.md", 1
        while path.lower() in taken:
            number += 1
            path = f"{folder}/{name}-{number}.md"
        taken.add(path.lower())
        found[name] = path
    return found


def _index(writer: Writer) -> Iterator[str]:
    yield "# Documentation"
    catalog, below = writer.catalog, writer.below()
    for folder, kind in _FOLDERS.items():
        specs = list(catalog.registry(kind))
        if specs:
            yield heading(below.level, folder.capitalize())
            yield table(
                (kind.name.capitalize(), "Description"),
                [
                    (
                        writer.link(kind, getattr(spec, kind.key)),
                        writer.text(spec.doc_description or ""),
                    )
                    for spec in specs
                ],
            )
    if len(catalog.swarms) > 1:
        yield heading(below.level, "All swarms together")
        yield fenced(mermaid(catalog, writer.secrets), "mermaid")
    yield from sections(below)


def _write(home: Path, page: str, text: str) -> Path:
    """Write a page next to its place and move it there."""
    path = home / page
    is_known = PurePosixPath(page).parent.as_posix() in (".", *_FOLDERS)
    if is_known:
        path.parent.mkdir(exist_ok=True)
    # A folder may lead elsewhere by a link.
    if not is_known or path.parent.resolve() != path.parent:
        raise StoreError(f"cannot write {path}: it is outside of {home}")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode(errors="replace"))
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def _is_ours(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as stream:
        return path.is_file() and stream.readline().strip() == _MARK
