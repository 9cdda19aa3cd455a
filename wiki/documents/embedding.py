"""Vectors for texts, without a model server: wordllama, hashed n-grams, or a function of yours.

A vector is kept as the bytes of its float32 numbers, of length one, so that a dot product is the
cosine.
"""

import importlib
import importlib.util
import inspect
import math
from array import array
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import anyio.from_thread

from swarm.errors import DeclarationError, ProviderOutputError, SwarmError, require, suggest
from swarm.memory.hashing import hash_texts
from swarm.memory.specs import EmbeddingSpec

__all__ = [
    "Embedding",
    "FunctionEmbedding",
    "HashEmbedding",
    "WordllamaEmbedding",
    "check_embedding",
    "open_embedding",
    "pack",
]


class Embedding(Protocol):
    """Turns texts into vectors; called from worker threads, one call at a time."""

    @property
    def name(self) -> str:
        """What the index records; another name means that all vectors are made anew."""
        ...

    @property
    def floor(self) -> float:
        """A passage below this cosine that shares no word with a question has no bearing on it."""
        ...

    def encode(self, texts: Sequence[str]) -> list[bytes]:
        """Return one packed vector for each text."""
        ...


def check_embedding(name: str) -> None:
    """Raise unless a name is one that `open_embedding` knows.

    Raises:
        ValueError: It is not.
    """
    if name in _KNOWN or (name.startswith("python:") and name.count(":") == 2):
        return
    hint = suggest(name, list(_KNOWN)) or "write wordllama, hash or python:module:function"
    raise ValueError(f"no embedding {name!r}; {hint}")


def open_embedding(name: str | None, declared: EmbeddingSpec | None = None) -> Embedding:
    """Return the embedding of a name; without one wordllama if it is installed, hashes otherwise.

    Args:
        name: `wordllama`, `hash`, `python:module:function`, or None.
        declared: The declaration of that name, if there is one; it comes first.

    Raises:
        MissingExtraError: wordllama is asked for by name and is not installed.
        DeclarationError: There is no such embedding, or no such function.
    """
    if declared is not None and declared.create is not None:
        return FunctionEmbedding(f"{name} {declared.version}".strip(), declared.create)
    if declared is not None:
        name = declared.model
    if name is None:
        name = "wordllama" if importlib.util.find_spec("wordllama") else "hash"
    if name in _KNOWN:
        return _KNOWN[name]()
    try:
        check_embedding(name)
        _, module, function = name.split(":")
        return FunctionEmbedding(name, getattr(importlib.import_module(module), function))
    except (ValueError, ImportError, AttributeError) as wrong:
        raise DeclarationError(f"embedding {name!r}: {wrong}") from wrong


def pack(values: Iterable[float]) -> bytes:
    """Return a vector, brought to length one, as float32.

    Raises:
        ValueError: A number is infinite or none at all.
    """
    numbers = [float(value) for value in values]
    length = math.sqrt(sum(value * value for value in numbers))
    if not math.isfinite(length):
        raise ValueError("a vector holds a number that is not finite")
    return array("f", (value / length if length else 0.0 for value in numbers)).tobytes()


class WordllamaEmbedding:
    """Static word vectors of 256 numbers, inside the wheel: no download; best for English."""

    name = "wordllama"
    floor = 0.3

    def __init__(self) -> None:
        wordllama = require("wordllama", extra="embeddings")
        # By default it looks for its own files in the wrong folder and then asks the network.
        folder = Path(str(wordllama.__file__)).parent
        self._model = wordllama.WordLlama.load(cache_dir=folder, disable_download=True)

    def encode(self, texts: Sequence[str]) -> list[bytes]:
        """Return one packed vector for each text."""
        if not texts:
            return []
        vectors: Any = self._model.embed(list(texts), norm=False)
        return [pack(vector.tolist()) for vector in vectors]


class HashEmbedding:
    """Words and parts of words, hashed into 512 numbers: any language, no meaning, no library."""

    name = "hash"
    floor = 0.2

    def encode(self, texts: Sequence[str]) -> list[bytes]:
        """Return one packed vector for each text."""
        return [pack(vector) for vector in hash_texts(texts)]


class FunctionEmbedding:
    """Vectors by a function, plain or async: texts in, as many lists of numbers out."""

    floor = 0.3

    def __init__(self, name: str, function: Callable[[list[str]], Any]) -> None:
        self.name = name
        self._function = function

    def encode(self, texts: Sequence[str]) -> list[bytes]:
        """Return one packed vector for each text.

        Raises:
            ProviderOutputError: The function failed, or its answer is no vectors.
        """
        try:
            rows: Any = self._function(list(texts))
            if inspect.isawaitable(rows):
                rows = anyio.from_thread.run(_wait_for, rows)
            vectors = [pack(row) for row in rows]
        except SwarmError:
            raise
        except Exception as error:
            # It is the user's code; what it raises is a failure of the embedding.
            text = f"{type(error).__name__}: {error}"
            raise ProviderOutputError(text, provider=self.name) from error
        if len(vectors) != len(texts) or len({len(vector) for vector in vectors}) > 1:
            text = f"{len(texts)} texts gave {len(vectors)} vectors, or not all of one length"
            raise ProviderOutputError(text, provider=self.name)
        return vectors


_KNOWN: dict[str, Callable[[], Embedding]] = {
    "hash": HashEmbedding,
    "wordllama": WordllamaEmbedding,
}


async def _wait_for(rows: Awaitable[Any]) -> Any:
    return await rows
