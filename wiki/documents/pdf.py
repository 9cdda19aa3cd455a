"""Reads the text of a PDF by page; pictures of text give none. Needs `wikiswarm[documents]`."""

import re
from pathlib import Path

from swarm.errors import DataError, require
from wiki.documents.blocks import Block, Text

__all__ = ["MAX_PAGES", "read_pdf"]

MAX_PAGES = 2000
"""A longer file is refused."""

_PARAGRAPH = re.compile(r"\n[ \t]*\n")


def read_pdf(file: Path, max_chars: int) -> Text:
    """Return the paragraphs of a PDF, each with its page.

    Args:
        file: The file.
        max_chars: How much text is accepted.

    Raises:
        DataError: It is broken, locked, too long, or has no text.
        MissingExtraError: pypdf is not installed.
    """
    pypdf = require("pypdf", extra="documents")
    blocks: list[Block] = []
    chars = 0
    try:
        reader = pypdf.PdfReader(file, strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise DataError("the PDF is locked by a password")
        if len(reader.pages) > MAX_PAGES:
            raise DataError(f"the PDF has more than {MAX_PAGES:,} pages")
        for number, page in enumerate(reader.pages, start=1):
            text = str(page.extract_text())
            chars += len(text)
            if chars > max_chars:
                raise DataError(f"the PDF holds more than {max_chars:,} characters")
            parts = (part.strip() for part in _PARAGRAPH.split(text))
            blocks += [Block("", number, part) for part in parts if part]
    except DataError:
        raise
    except Exception as error:
        # A broken file makes pypdf raise whatever its parser stumbles over.
        raise DataError(f"the PDF cannot be read ({type(error).__name__}: {error})") from error
    if not blocks:
        raise DataError("the PDF has no text; a scan needs text recognition first")
    return Text("page", tuple(blocks))
