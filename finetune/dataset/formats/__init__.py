"""The formats of training rows: readers and writers between their JSON objects and typed rows.

One module per format; `FORMATS` is the table. Not here: files, containers and encodings
(`finetune.dataset.detect`, `finetune.dataset.convert`).
"""

from finetune.dataset.formats.completion import completion_format
from finetune.dataset.formats.extra import EXTRA_KEY
from finetune.dataset.formats.format import Decoded, Encoded, Format
from finetune.dataset.formats.loss import LOSSES, Loss, RowRefusedError
from finetune.dataset.formats.registry import FORMATS, get_format, recognise

__all__ = [
    "EXTRA_KEY",
    "FORMATS",
    "LOSSES",
    "Decoded",
    "Encoded",
    "Format",
    "Loss",
    "RowRefusedError",
    "completion_format",
    "get_format",
    "recognise",
]
