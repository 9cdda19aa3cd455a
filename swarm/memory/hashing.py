"""The embedding that needs no model: words and parts of words, counted in hashed places.

It finds texts that share words, also in other forms of them; it knows no synonyms.
"""

import hashlib
import math
import re
import unicodedata
from collections.abc import Sequence

__all__ = ["DIMENSIONS", "hash_texts"]

DIMENSIONS = 512
_WORD = re.compile(r"\w+")
_PART = 3
"""Characters of a part of a word."""
_WORD_WEIGHT = 2.0
"""What a whole word counts, compared with one part of it."""


def hash_texts(texts: Sequence[str]) -> list[list[float]]:
    """Return a vector of length 1 for each text; the same on every machine."""
    return [_hash_text(text) for text in texts]


def _hash_text(text: str) -> list[float]:
    counts: dict[str, float] = {}
    for word in _WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        counts[word] = counts.get(word, 0.0) + _WORD_WEIGHT
        padded = f"^{word}$"
        for start in range(len(padded) - _PART + 1):
            part = f"~{padded[start : start + _PART]}"
            counts[part] = counts.get(part, 0.0) + 1.0
    vector = [0.0] * DIMENSIONS
    for feature, count in counts.items():
        digest = hashlib.blake2b(feature.encode(errors="replace"), digest_size=8).digest()
        number = int.from_bytes(digest, "big")
        # Of two features in one place, the sign keeps the sum from growing without a reason.
        sign = 1.0 if number & 1 else -1.0
        vector[(number >> 1) % DIMENSIONS] += sign * math.sqrt(count)
    length = math.sqrt(sum(value * value for value in vector))
    return [value / length for value in vector] if length else vector
