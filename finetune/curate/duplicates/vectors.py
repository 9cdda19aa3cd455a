"""Vectors for conversations: of their words, or by an embedding model.

Built-in embeddings give each word a vector, once; a text's vector is the sum over its words. That
is what makes them fast enough for a million rows, and blind to the order of words.
"""

import functools
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from finetune.curate.duplicates.lexicon import Lexicon
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
_LARGEST: Final = 2047
"""Of the numbers in a word's vector."""
_SUMMED: Final = 4096
"""Words of a text whose vectors are in memory at once; their sums have less than 24 bits."""
_SHARE: Final = 8
"""A word is usual that is said so often that every so many texts have it."""
_FEW: Final = 4
_TOGETHER: Final = 64
"""Words whose vectors are made at once."""


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
        return WordVectors("hash", _hash_words, steps=1024)
    if name == "wordllama":
        if importlib.util.find_spec("wordllama") is None:
            raise MissingExtraError("wordllama", "embeddings")
        # Loaded where texts are encoded, not in the process that decides only.
        return WordVectors("wordllama", lambda words: _wordllama()(words), steps=64)
    return ModelVectors(name, home)


class WordVectors:
    """Sums the vectors of a text's words, each made once.

    Vectors hold whole numbers, so that sums are exact in whatever order words are added.
    """

    def __init__(
        self, name: str, make: "Callable[[list[str]], NDArray[np.float32]]", steps: int
    ) -> None:
        """Make ready.

        Args:
            name: What makes the vectors.
            make: Returns the vectors of words.
            steps: Into how many whole numbers one of their units is parted.
        """
        import numpy as np

        self.name = name
        self._make = make
        self._steps = steps
        self._lexicon: Lexicon | None = None
        self._held = 0
        self._table: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        """The vector of each word that the lexicon has."""

    def encode(self, bodies: Sequence[str], words: Words) -> "NDArray[np.float32]":
        """Return a row for each text."""
        import numpy as np

        self._learn(words.lexicon)
        lengths = np.diff(words.starts)
        # What a short text says can be summed up in single precision without a rounding.
        is_short = lengths <= _SUMMED
        counts = np.bincount(words.row, minlength=len(self._table))
        usual = np.flatnonzero(counts > max(_FEW, len(bodies) // _SHARE))
        column = np.full(len(self._table), -1, np.int64)
        column[usual] = np.arange(len(usual))
        column = column[words.row]
        is_usual = column >= 0
        if not is_short.all():
            is_usual &= is_short[words.text]
        at = np.flatnonzero(is_usual)
        # Where words are said so often, a product of matrices is quicker than a sum for each text.
        places = words.text.take(at) * len(usual) + column.take(at)
        said = np.bincount(places, minlength=len(bodies) * len(usual))
        vectors = said.reshape(len(bodies), len(usual)).astype(np.float32) @ self._table[usual]
        rest = words.row[~is_usual]
        self._add(vectors, rest, np.concatenate(([0], np.cumsum(~is_usual)))[words.starts])
        return vectors

    def _add(
        self,
        vectors: "NDArray[np.float32]",
        row: "NDArray[np.int64]",
        starts: "NDArray[np.int64]",
    ) -> None:
        """Add the vectors of words; `starts` says where those of each text begin."""
        import numpy as np

        longest = int(np.diff(starts).max(initial=0))
        # Memory that is asked for anew for each text costs more than the sums.
        taken = np.empty((min(longest, _SUMMED), vectors.shape[1]), np.float32)
        places = starts.tolist()
        for vector, start, end in zip(vectors, places, places[1:], strict=False):
            for at in range(start, end, _SUMMED):
                own = taken[: min(_SUMMED, end - at)]
                # All rows are there; the usual mode takes a detour to leave `out` whole.
                self._table.take(row[at : at + len(own)], axis=0, out=own, mode="clip")
                vector += np.add.reduce(own, axis=0)  # in place, a row of `vectors`

    def _learn(self, lexicon: Lexicon) -> None:
        """Make the vectors of words that are new."""
        import numpy as np

        if self._lexicon is not lexicon:
            self._lexicon, self._held = lexicon, 0
        if not len(self._table):
            self._table = np.zeros((1024, self._make([""]).shape[1]), np.float32)
        texts = lexicon.texts[self._held :]
        if not texts:
            return
        made = self._make(["" if text in MARKS else text for text in texts])
        made *= np.array([[_SHORT_WEIGHT if len(t) < _SHORT else 1.0] for t in texts], np.float32)
        np.clip(np.rint(made * self._steps), -_LARGEST, _LARGEST, out=made)
        size = self._held + len(texts)
        if size > len(self._table):
            grown = np.zeros((2 * size, made.shape[1]), np.float32)
            grown[: self._held] = self._table[: self._held]
            self._table = grown
        self._table[self._held : size] = made
        self._held = size


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
        sums: list[NDArray[np.float32]] = []
        for start in range(0, len(words), _TOGETHER):
            encoded = model.tokenize(words[start : start + _TOGETHER])
            tokens = np.array([one.ids for one in encoded], np.int32)
            mask = np.array([one.attention_mask for one in encoded], np.float32)
            # The library gives means; a text's vector is that of its tokens, not of its words.
            means = model.avg_pool(model.embedding[tokens], mask)
            sums.append(means * mask.sum(axis=1)[:, None])
        return np.concatenate(sums)

    return embed
