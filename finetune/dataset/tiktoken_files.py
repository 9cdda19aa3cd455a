"""OpenAI's own encodings, where their files are on this machine already.

tiktoken fetches a missing file from the network when it is asked for one; a check must not, so the
file is looked for first.
"""

# tiktoken is no dependency; other libraries bring it.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportMissingImports=false

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

from finetune.dataset.row_parts import PER_MESSAGE, bare_tokens, count_parts
from finetune.dataset.rows import DpoRow, SftRow
from finetune.dataset.tokens import RowTokens
from swarm.errors import DataError, SetupError

__all__ = ["ENCODINGS", "EncodingTokenizer", "load_encoding"]

ENCODINGS = ("cl100k_base", "o200k_base", "p50k_base", "r50k_base")
"""Names of encodings."""

_ADDRESS = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"


class EncodingTokenizer:
    """Counts by an encoding of OpenAI, whose chat template nobody publishes."""

    is_estimate = False
    knows_trained = False
    max_length = None
    control_tokens = frozenset[str]()
    """None: OpenAI's servers take what looks like one as plain text."""

    def __init__(self, name: str, encoding: Any) -> None:
        """Wrap a `tiktoken.Encoding` under its name."""
        self.method = f"tiktoken's {name}, {PER_MESSAGE} per message"
        self._encoding = encoding

    def measure(self, row: SftRow | DpoRow) -> RowTokens:
        """Return the tokens of a row's texts, and the usual ones around each message."""
        return bare_tokens(row, count_parts(row, self._count))

    def _count(self, texts: list[str]) -> list[int]:
        return [len(self._encoding.encode_ordinary(text)) for text in texts]


def load_encoding(name: str) -> EncodingTokenizer:
    """Return a tokenizer of OpenAI from its cached file; never downloads.

    Raises:
        DataError: No encoding has this name.
        SetupError: tiktoken or the encoding's file is not on this machine.
    """
    if name not in ENCODINGS:
        raise DataError(f"no encoding {name!r}; known: {', '.join(ENCODINGS)}")
    folder = _cache()
    file = folder / hashlib.sha1(_ADDRESS.format(name).encode(), usedforsecurity=False).hexdigest()
    if not file.is_file():
        raise SetupError(
            f"no file of {name} in {folder}, and nothing is downloaded here; set"
            " TIKTOKEN_CACHE_DIR, pass a model folder, or count by the estimate"
        )
    try:
        import tiktoken
    except ImportError:
        raise SetupError("tiktoken is not installed; run: pip install tiktoken") from None
    try:
        return EncodingTokenizer(name, tiktoken.get_encoding(name))
    except (OSError, ValueError) as error:
        raise SetupError(f"{file} is damaged: {str(error)[:200]}") from None


def _cache() -> Path:
    for variable in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        if folder := os.environ.get(variable):
            return Path(folder)
    return Path(tempfile.gettempdir()) / "data-gym-cache"
