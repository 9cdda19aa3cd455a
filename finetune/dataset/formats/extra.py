"""The one extra key of lossless formats: what the format itself has no place for.

The key `wikiswarm` holds, as a string of JSON, the edits that turn what the other keys say into
the exact row. Trainers ignore it. Whoever changes the other keys makes it unusable: they win.
"""

import json
from collections.abc import Callable

from pydantic import JsonValue

from finetune.dataset.formats.edits import apply_edits, differences
from finetune.dataset.formats.format import JsonObject, Translated, shaped
from finetune.dataset.formats.loss import Loss, RowRefusedError
from finetune.dataset.json_text import JsonTextError, parse
from finetune.dataset.rows import DpoRow, SftRow

__all__ = ["EXTRA_KEY", "add_extra", "use_extra"]

EXTRA_KEY = "wikiswarm"
"""The key's name."""


def add_extra(view: JsonObject, plain: JsonObject, row: SftRow | DpoRow) -> JsonObject:
    """Return the view, with the extra key where reading it plainly would not give the row back.

    Args:
        view: The row in the standard keys of the format.
        plain: What a reader makes of the view alone, in OpenAI's shape.
        row: The row.
    """
    edits = differences(plain, row.model_dump(mode="json"))
    if not edits:
        return view
    return {**view, EXTRA_KEY: json.dumps(edits, ensure_ascii=False, separators=(",", ":"))}


def use_extra(
    value: JsonObject, plain: Translated, view_of: Callable[[SftRow | DpoRow], JsonObject]
) -> Translated:
    """Return the row with the edits of its extra key, where it has one that still fits.

    Args:
        value: The object that was read.
        plain: What its standard keys say.
        view_of: Writes a row in the standard keys; what it gives must be what was read, else
            the standard keys were changed after the extra key was written.
    """
    extra = value.get(EXTRA_KEY)
    if extra is None:
        return plain
    try:
        edits: JsonValue = parse(extra) if isinstance(extra, str) else None
        edited = apply_edits(plain.value, edits)
        if isinstance(edited, dict):
            view = view_of(shaped(edited))
            if all(value.get(key) == said for key, said in view.items()):
                return Translated(edited, plain.losses)
    except (JsonTextError, RowRefusedError, ValueError):
        pass
    text = f"`{EXTRA_KEY}` does not fit the other keys; ids, names and weights in it are left out"
    return Translated(plain.value, [*plain.losses, Loss("extra_unusable", text, (EXTRA_KEY,))])
