"""What every ASCII text with personal data holds, for a search over many rows at once.

It says less than `search`, and never too little: a text without any of these signs is one in
which no recogniser finds anything.
"""

import re
from functools import lru_cache

from finetune.curate.personal.places import STREET_ENDINGS
from finetune.curate.personal.words import phrases
from finetune.curate.screen import PlainRows
from finetune.curate.search import Find, quick_find

__all__ = ["suspects"]

_JOINT = r"[ \t-\r\x1c-\x1f_.'-]{0,3}"
_SIGNS = (
    "@",
    r"[(\[{<] ?(?:at|arroba|chiocciola) ?[)\]}>]",
    # Characters that are written otherwise.
    r"\\(?:u[0-9a-f]{4}|[nrt])|%40|%20|&#(?:64|x40);|&nbsp;|&commat;",
    # Addresses of machines without a long run of digits.
    r":[0-9a-f]{0,4}:|-[0-9a-f]{2}-|\.[0-9a-f]{4}\.",
    # Runs of digits with what parts their groups, and long words, which may have digits.
    r"[0-9][0-9 .,:/()-]{3,}[0-9]",
    "[a-z0-9]{16}",
)


def suspects(rows: PlainRows) -> frozenset[int]:
    """Return the plain rows that may hold personal data."""
    return rows.having(_find())


@lru_cache(maxsize=1)
def _find() -> Find | None:
    endings = "|".join(re.escape(ending) for ending in STREET_ENDINGS if ending.isascii())
    # What announces a telephone number is no sign: its number has a long run of digits.
    words = [phrase for phrase in phrases(without=("phone",)) if phrase.isascii()]
    announced = "|".join(phrase.replace(" ", _JOINT) for phrase in sorted(words))
    signs = "|".join(_SIGNS)
    return quick_find(f"{signs}|(?:{endings})(?s:.)[0-9]|[^a-z](?:{announced})[^a-z]")
