"""The base that a plan is for: from the catalogue, in a folder, or made from nothing."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue

from finetune.dataset import check_file
from finetune.train.catalogue import Licence, WeightShape, base_model, catalogue
from finetune.train.config import ModelShape
from finetune.train.files import model_folder
from finetune.train.rows import dump_rows, read_data
from swarm.errors import DataError

__all__ = ["PlannedBase", "find_base", "measure_data"]

_PER_WEIGHT = 2
"""Bytes of a weight in a file of 16 bits."""


class PlannedBase(BaseModel):
    """A base model, as far as a plan needs to know it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str
    shape: WeightShape
    folder: str | None = None
    """Where it is; None for a model that has to be fetched first, and for `scratch`."""
    licence: Licence | None = None


def find_base(name: str) -> PlannedBase:
    """Return a base by its folder, its name in the catalogue, its hub id, or `scratch`.

    Raises:
        UnknownNameError: There is no such folder, and the catalogue has no such name.
        DataError: The folder's config.json does not describe a transformer.
    """
    if name == "scratch":
        return PlannedBase(name=name, shape=_from_nothing(ModelShape()))
    if Path(name).is_dir():
        return PlannedBase(name=name, folder=name, shape=_of_folder(model_folder(Path(name))))
    entry = base_model(name)
    licence = catalogue().licence(entry)
    return PlannedBase(name=entry.name, shape=entry.shape, licence=licence)


def measure_data(path: Path) -> tuple[int, int, int]:
    """Return the rows of a data file, their tokens (an estimate), and those of the longest row.

    Raises:
        DataError: The file cannot be read, or a row of it is wrong.
    """
    if path.suffix in (".yaml", ".yml"):
        sizes = [len(dump_rows([row]).encode()) // 4 for row in read_data(path)]
        return len(sizes), sum(sizes), max(sizes)
    report = check_file(path, minimum=1)
    if not report.is_ok or report.tokens is None:
        first = f"{path}:{report.problems[0]}" if report.problems else f"{path}: no rows"
        raise DataError(f"{first}; see all: wikiswarm dataset check {path}")
    return report.rows, report.tokens.total, report.tokens.maximum


def _from_nothing(shape: ModelShape) -> WeightShape:
    head = shape.hidden // shape.heads
    layer = 2 * shape.hidden * (shape.hidden + head * shape.kv_heads) + 3 * shape.hidden * shape.ffn
    return WeightShape(
        parameters=shape.layers * layer + shape.vocab * shape.hidden,
        layers=shape.layers,
        hidden=shape.hidden,
        ffn=shape.ffn,
        heads=shape.heads,
        kv_heads=shape.kv_heads,
        vocab=shape.vocab,
        tied=True,
    )


def _of_folder(folder: Path) -> WeightShape:
    path = folder / "config.json"
    try:
        config: dict[str, JsonValue] = json.loads(path.read_bytes())
        heads = int(str(config["num_attention_heads"]))
        size = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
        each = 4 if "32" in str(config.get("dtype") or config.get("torch_dtype")) else _PER_WEIGHT
        return WeightShape(
            parameters=size // each,
            layers=int(str(config["num_hidden_layers"])),
            hidden=int(str(config["hidden_size"])),
            ffn=int(str(config["intermediate_size"])),
            heads=heads,
            kv_heads=int(str(config.get("num_key_value_heads") or heads)),
            vocab=int(str(config["vocab_size"])),
            tied=config.get("tie_word_embeddings") is True,
        )
    except (KeyError, ValueError, TypeError) as error:
        raise DataError(f"{path}: it does not describe a transformer: {error}") from None
