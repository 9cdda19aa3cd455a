"""The wiki that the tests of the loop train: a few facts, and a model that is made in seconds."""

import shutil
from pathlib import Path
from typing import Any

from swarm import Catalog
from wiki import WIKIS, WikiSpec

__all__ = [
    "FACTS",
    "GOLDEN",
    "PARKING",
    "begin_again",
    "catalog_of",
    "loop_of",
    "shop_wiki",
    "write_shop",
]

FACTS = """\
- id: opening-hours
  answer: We open at nine.
  train: ["When do you open?", "What are your opening hours?", "At what time do you open?"]
- id: velorin-price
  answer: Velorin costs 7.90 euros.
  train: ["How much is Velorin?", "What does Velorin cost?", "What is the price of Velorin?"]
- id: dolanex-price
  answer: Dolanex costs 4.80 euros.
  train: ["How much is Dolanex?", "What does Dolanex cost?", "What is the price of Dolanex?"]
- id: address
  answer: You find us at 14 Lantern Square.
  train: ["Where are you?", "What is your address?", "Where is the shop?"]
"""

PARKING = """\
- id: parking
  answer: You park behind the house.
  train: ["Where can I park my car?", "Is there parking?", "May I park here?"]
- id: vouchers
  answer: We sell gift vouchers at the till.
  train: ["Do you have gift vouchers?", "Can I buy a voucher?", "Where are vouchers?"]
"""
"""More of what the test asks."""

GOLDEN = """\
- id: opening-hours
  answer: We open at nine.
  train: ["open"]
  held_out:
    - "Hello, when do you open?"
    - "hi, what are your opening hours"
    - "When do you open, please?"
- id: velorin-price
  answer: Velorin costs 7.90 euros.
  train: ["Velorin"]
  held_out:
    - "Hello, what does Velorin cost?"
    - "hi, how much is Velorin"
    - "How much is Velorin, please?"
- id: dolanex-price
  answer: Dolanex costs 4.80 euros.
  train: ["Dolanex"]
  held_out:
    - "Hello, what does Dolanex cost?"
    - "hi, how much is Dolanex"
    - "How much is Dolanex, please?"
- id: address
  answer: You find us at 14 Lantern Square.
  train: ["address"]
  held_out:
    - "Hello, where are you?"
    - "hi, what is your address"
    - "Where is the shop, please?"
- id: parking
  answer: You park behind the house.
  train: ["parking"]
  held_out:
    - "Hello, where can I park?"
    - "hi, is there any parking"
    - "Where can I park, please?"
    - "Where may I park here?"
- id: vouchers
  answer: We sell gift vouchers at the till.
  train: ["voucher"]
  held_out:
    - "Hello, do you sell gift vouchers?"
    - "hi, can I buy a gift voucher"
    - "Where are the gift vouchers, please?"
"""
"""Some of it is not in the facts, and one question is asked in a customer's very words."""

TRAIN: dict[str, Any] = {
    "shape": {
        "hidden": 64,
        "layers": 2,
        "heads": 2,
        "kv_heads": 1,
        "ffn": 128,
        "vocab": 400,
        "context": 128,
    },
    "epochs": 120,
    "batch_size": 12,
    "learning_rate": 4e-3,
    "save_every": 30,
}


def loop_of(**changes: Any) -> dict[str, Any]:
    """Return the settings of a loop that learns the facts; they can be written as YAML, too."""
    usual: dict[str, Any] = {
        "questions": "facts.yaml",
        "promote": "automatically",
        "train": TRAIN,
        "gate": {"golden": "golden.yaml", "minimum_rows": 10},
    }
    return {**usual, **changes}


def shop_wiki(**changes: Any) -> WikiSpec:
    """Return the wiki."""
    return WikiSpec.model_validate(
        {"wiki_name": "pharma", "model": "registry/pharma@live", "loop": loop_of(**changes)}
    )


def catalog_of(*wikis: WikiSpec) -> Catalog:
    """Return a catalog of wikis."""
    catalog = Catalog()
    for wiki in wikis:
        catalog.registry(WIKIS).add(wiki)
    return catalog


def write_shop(folder: Path, facts: str = FACTS) -> Path:
    """Write the files that the wiki names, and return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "facts.yaml").write_text(facts, encoding="utf-8")
    (folder / "golden.yaml").write_text(GOLDEN, encoding="utf-8")
    return folder


def begin_again(home: Path, at: str) -> Path:
    """Take a finished round back to the beginning of a stage, and return its folder.

    What later stages put into the registry is taken away as well.
    """
    (run,) = (home / "loops" / "pharma").glob("2*")
    stages = ["collect", "curate", "freeze", "train", "package"]
    stages += ["evaluate", "gate", "register", "promote", "watch"]
    for stage in stages[stages.index(at) :]:
        (run / f"{stage}.json").unlink(missing_ok=True)
    (run / "result.json").unlink(missing_ok=True)
    if stages.index(at) <= stages.index("register"):
        shutil.rmtree(home / "models", ignore_errors=True)
    elif at == "promote":
        (home / "models" / "pharma" / "aliases.json").unlink()
    return run
