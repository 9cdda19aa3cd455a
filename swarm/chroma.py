"""An embedded Chroma in a folder: no server, no telemetry, no embedding function of its own.

What it holds is derived from something else, so a folder that is lost or broken is made anew.
"""

import contextlib
import secrets
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any, Literal

from swarm.errors import StoreError, require
from swarm.locks import folder_lock

__all__ = ["ChromaFolder"]

_MOST_ROWS = 1000
"""In one call."""


class ChromaFolder:
    """Used by one thread of one process at a time; blocking, so for worker threads.

    Everything but `opened` and `close` is for the inside of an `opened` block.
    """

    def __init__(self, folder: Path) -> None:
        """Describe a folder; nothing is opened yet.

        Raises:
            MissingExtraError: The library is not installed.
        """
        self._chromadb: Any = require("chromadb", extra="chroma")
        self._folder = folder
        self._client: Any = None
        self._collections: dict[str, tuple[str, Any]] = {}
        """With what made their vectors."""
        self._writes: dict[str, int] = {}
        self._token: str | None = None
        self._generation = 0
        """Grows when other processes may have changed what is in the folder."""
        # Invariant: one thread at a time opens, uses or closes the client.
        self._lock = threading.RLock()

    @contextlib.contextmanager
    def opened(self) -> Generator[None, None, None]:
        """Have the folder for this block alone, and see what other processes wrote.

        Raises:
            StoreError: It cannot be read or written, or is none of ours.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._lock, folder_lock(self._folder):
                self._open()
                yield
        except StoreError:
            raise
        except Exception as error:
            # A folder that is broken makes Chroma raise whatever its engine stumbles over.
            text = f"{self._folder}: {error}; delete the folder, it is made anew"
            raise StoreError(text) from error

    @property
    def batch(self) -> int:
        """The most rows in one call."""
        return min(_MOST_ROWS, int(self._client.get_max_batch_size()))

    def collection(self, name: str, space: Literal["cosine", "ip"], source: str = "") -> Any:
        """Return a collection, made if need be.

        Args:
            name: Its name.
            space: How vectors are compared.
            source: What made the vectors; a collection of another source is replaced.

        Raises:
            StoreError: It names an embedding function, so it is none of ours.
        """
        known, found = self._collections.get(name, (source, None))
        if found is None or known != source:
            with contextlib.suppress(self._chromadb.errors.NotFoundError):
                found = self._client.get_collection(name, embedding_function=None)
            metadata: dict[str, Any] = {} if found is None else found.metadata or {}
            if found is not None and metadata.get("source", "") != source:
                self.delete(name)
                found = None
            if found is None:
                self.will_write(name)
                found = self._client.create_collection(
                    name,
                    embedding_function=None,
                    configuration={"hnsw": {"space": space}},
                    metadata={"source": source} if source else None,
                )
            function: dict[str, Any] = found.configuration_json.get("embedding_function") or {}
            if function.get("type", "legacy") != "legacy":
                self._close()
                text = f"{self._folder} names an embedding function, so it is not ours; remove it"
                raise StoreError(text)
            self._collections[name] = (source, found)
        return found

    def delete(self, name: str) -> None:
        """Remove a collection; one that is not there is no error."""
        self.will_write(name)
        self._collections.pop(name, None)
        with contextlib.suppress(self._chromadb.errors.NotFoundError):
            self._client.delete_collection(name)

    def stamp(self, name: str) -> tuple[int, int]:
        """Return what is another one after each write to a collection, here or elsewhere."""
        return self._generation, self._writes.get(name, 0)

    def will_write(self, name: str) -> None:
        """Let others look anew; called before something is written to a collection."""
        self._writes[name] = self._writes.get(name, 0) + 1
        self._token = secrets.token_hex(8)
        self._token_file.write_text(self._token, encoding="utf-8")

    def close(self) -> None:
        """Close the client; it is opened again when it is needed."""
        with self._lock:
            self._close()

    @property
    def _token_file(self) -> Path:
        return self._folder / ".written"

    def _open(self) -> None:
        try:
            token = self._token_file.read_text(encoding="utf-8")
        except FileNotFoundError:
            token = None
        if self._client is not None and token == self._token:
            return
        # Chroma does not see what another process wrote until it is opened anew.
        self._close()
        self._token = token
        settings = self._chromadb.config.Settings(anonymized_telemetry=False)
        self._client = self._chromadb.PersistentClient(str(self._folder), settings=settings)

    def _close(self) -> None:
        # Older versions have no such method; there the client lives until the process ends.
        if hasattr(self._client, "close"):
            self._client.close()
        self._client = None
        self._collections.clear()
        self._generation += 1
