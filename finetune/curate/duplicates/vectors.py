"""Vectors for conversations: of their words, or by an embedding model.

Built-in embeddings give each word a vector, once; a text's vector is the sum over its words. That
is what makes them fast enough for a million rows, and blind to the order of words.
"""

import functools
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from finetune.curate.duplicates.words import Words
from finetune.dataset.folding import MARKS
from swarm.errors import MissingExtraError, require
from swarm.memory.hashing import DIMENSIONS, hash_texts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ModelVectors", "TextVectors", "WordVectors", "open_vectors"]

_SHORT: Final = 4
_SHORT_WEIGHT: Final = 0.25
"""What words below four letters count by: how often they are used says little about a text."""
_MOST: Final = 200_000
"""Words that are remembered, and those of one more call."""
_SUMMED: Final = 4096
"""Words of a text whose vectors are in memory at once."""
_PLACES: Final = 1 << 20
"""Of the table by which words are found; a few words share one."""


class TextVectors(Protocol):
    """Turns texts into vectors."""

    @property
    def name(self) -> str:
        """What makes the vectors."""
        ...

    def encode(self, bodies: Sequence[str], words: Words) -> "NDArray[np.float32]":
        """Return a row for each text; words are given, as they were made for other reasons."""
        ...


def open_vectors(name: str | None, home: Path | None) -> TextVectors:
    """Return what makes the vectors; without a name wordllama if it is installed, hashes otherwise.

    Raises:
        MissingExtraError: wordllama is asked for by name and is not installed.
    """
    if name is None:
        name = "wordllama" if importlib.util.find_spec("wordllama") else "hash"
    if name == "hash":
        return WordVectors("hash", _hash_words)
    if name == "wordllama":
        if importlib.util.find_spec("wordllama") is None:
            raise MissingExtraError("wordllama", "embeddings")
        # Loaded where texts are encoded, not in the process that decides only.
        return WordVectors("wordllama", lambda words: _wordllama()(words))
    return ModelVectors(name, home)


class WordVectors:
    """Sums the vectors of a text's words, each made once."""

    def __init__(self, name: str, make: "Callable[[list[str]], NDArray[np.float32]]") -> None:
        import numpy as np

        self.name = name
        self._make = make
        self._table: NDArray[np.float32] = np.zeros((0, 0), np.float32)

    def encode(self, bodies: Sequence[str], words: Words) -> "NDArray[np.float32]":
        """Return a row for each text."""
        import numpy as np

        if not len(self._table):
            self._table = self._make([""])
            self._forget()
        if len(self._known) > _MOST:
            self._forget()
        rows = self._rows(bodies, words)
        vectors = np.zeros((len(bodies), self._table.shape[1]), np.float32)
        longest = int(np.diff(words.starts).max(initial=0))
        # Memory that is asked for anew for each text costs more than the sums.
        taken = np.empty((min(longest, _SUMMED), self._table.shape[1]), np.float32)
        starts = words.starts.tolist()
        for text, start, end in zip(range(len(bodies)), starts, starts[1:], strict=False):
            for at in range(start, end, _SUMMED):
                own = taken[: min(_SUMMED, end - at)]
                # All rows are there; the usual mode takes a detour to leave `out` whole.
                self._table.take(rows[at : at + len(own)], axis=0, out=own, mode="clip")
                vectors[text] += np.add.reduce(own, axis=0)
        return vectors

    def _forget(self) -> None:
        import numpy as np

        self._known: dict[int, int] = {}
        """The row of each word by its number."""
        self._number: NDArray[np.uint64] = np.zeros(len(self._table), np.uint64)
        """The number of each row."""
        self._at: NDArray[np.int32] = np.zeros(_PLACES, np.int32)
        """The row of the last word with these bits of its number: a look instead of a search."""

    def _rows(self, bodies: Sequence[str], words: Words) -> "NDArray[np.int64]":
        """Return the row of the table for each word."""
        import numpy as np

        rows = self._at[words.number & np.uint64(_PLACES - 1)].astype(np.int64)
        left = np.flatnonzero(self._number[rows] != words.number)
        if len(left):
            # New words, and the few whose place another word has.
            numbers, first, which = np.unique(
                words.number[left], return_index=True, return_inverse=True
            )
            self._learn(numbers.tolist(), left[first], bodies, words)
            found = np.array([self._known[number] for number in numbers.tolist()], np.int64)
            rows[left] = found[which]
        return rows

    def _learn(
        self, numbers: list[int], first: "NDArray[np.int64]", bodies: Sequence[str], words: Words
    ) -> None:
        """Make the vectors of words that are new."""
        import numpy as np

        new = [at for at, number in enumerate(numbers) if number not in self._known]
        if not new:
            return
        joined = "".join(bodies)
        begins, lengths = words.at[first].tolist(), words.length[first].tolist()
        texts = [joined[begins[at] : begins[at] + lengths[at]].lower() for at in new]
        made = self._make(["" if text in MARKS else text for text in texts])
        made *= np.array([[_SHORT_WEIGHT if len(t) < _SHORT else 1.0] for t in texts], np.float32)
        held = len(self._known)
        if held + len(new) > len(self._table):
            size = 2 * (held + len(new))
            self._table = _grown(self._table, size)
            self._number = _grown(self._number, size)
        rows = np.arange(held, held + len(new))
        self._table[rows] = made
        self._number[rows] = [numbers[at] for at in new]
        self._at[self._number[rows] & np.uint64(_PLACES - 1)] = rows
        self._known.update((numbers[at], held + place) for place, at in enumerate(new))


def _grown(array: "NDArray[Any]", size: int) -> "NDArray[Any]":
    import numpy as np

    grown = np.zeros((size, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown


class ModelVectors:
    """Asks an embedding model by its reference, with the retries and the cache of embeddings."""

    def __init__(self, model: str, home: Path | None) -> None:
        self.name = model
        self._home = home

    def encode(self, bodies: Sequence[str], words: Words) -> "NDArray[np.float32]":
        """Return a row for each text.

        Raises:
            ProviderError: The provider failed.
            SetupError: A library or a key is missing.
        """
        import anyio
        import numpy as np

        if not bodies:
            return np.zeros((0, 0), np.float32)
        plain = str.maketrans(dict.fromkeys(MARKS, " "))
        texts = [" ".join(body.translate(plain).split()) for body in bodies]
        return np.array(anyio.run(self._ask, texts), np.float32)

    async def _ask(self, texts: list[str]) -> Sequence[Sequence[float]]:
        from swarm.catalog import Catalog
        from swarm.host import Host
        from swarm.memory.specs import EMBEDDINGS, EmbeddingSpec

        catalog = Catalog()
        spec = EmbeddingSpec(embedding_name="curation", model=self.name)
        catalog.registry(EMBEDDINGS).add(spec)
        async with Host(catalog=catalog, home=self._home) as host:
            return await host.memory.embeddings.embed("curation", texts, is_search=False)


def _hash_words(words: list[str]) -> "NDArray[np.float32]":
    import numpy as np

    vectors = np.array(hash_texts(words), np.float32).reshape(len(words), DIMENSIONS)
    # Half of the places is enough for one conversation and halves what is kept of it.
    return vectors[:, : DIMENSIONS // 2] + vectors[:, DIMENSIONS // 2 :]


@functools.cache
def _wordllama() -> "Callable[[list[str]], NDArray[np.float32]]":
    import numpy as np

    library: Any = require("wordllama", extra="embeddings")
    # By default it looks for its own files in the wrong folder and then asks the network.
    model = library.WordLlama.load(cache_dir=Path(library.__file__).parent, disable_download=True)

    def embed(words: list[str]) -> "NDArray[np.float32]":
        # The library gives means; a text's vector is that of its tokens, not of its words.
        tokens = [sum(one.attention_mask) for one in model.tokenize(words)]
        means: NDArray[np.float32] = model.embed(words)
        return means * np.array(tokens, np.float32)[:, None]

    return embed
