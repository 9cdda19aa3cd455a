"""Calibration of the trained model: it is sure of nonsense before, and less after."""

from pathlib import Path

import pytest

from finetune import TrainResult, held_out_rows, publish, read_questions, training_rows
from finetune.evaluate.confidence import calibrate
from swarm import Catalog, Host, use_catalog
from swarm.errors import DataError, DeclarationError
from wiki import ModelRegistry, add_wiki, ask
from wiki.calibration import read_calibration

pytestmark = pytest.mark.anyio

_OFF_TOPIC = [
    "Who won the race?",
    "How tall is the tower?",
    "What is the capital of France?",
    "Write me a poem.",
    "Why is the sky blue?",
    "Who are you?",
    "What does a loaf of bread cost?",
    "Is it going to rain?",
    "What is 12 times 7?",
    "Sing a song.",
]


@pytest.mark.requirement("S3-21")
async def test_confidence_is_worth_more_once_it_is_calibrated(
    trained_run: TrainResult, facts_file: Path, tmp_path: Path
) -> None:
    facts = read_questions(facts_file)
    registry = ModelRegistry(tmp_path / "models")
    version = await publish(
        trained_run.run_dir, "pharma", registry, quantisation="f16", parity_conversations=0
    )
    registry.promote("pharma", version.version)
    rows = training_rows(facts) + held_out_rows(facts)
    with pytest.raises(DataError, match="questions that the model cannot know"):
        await calibrate("registry/pharma@live", rows[:12], home=tmp_path)
    fitted = await calibrate("registry/pharma@live", rows, home=tmp_path, off_topic=_OFF_TOPIC)
    assert read_calibration(registry.get("pharma@live")) is not None
    assert (fitted.method, fitted.answers) == ("platt", len(rows) + len(_OFF_TOPIC))
    # A model of this size says nonsense with the same confidence as what it was taught.
    assert fitted.ece_before > 0.25
    assert fitted.ece_after < fitted.ece_before / 2
    with use_catalog(Catalog()) as catalog:
        add_wiki(wiki_name="pharma", model="registry/pharma@live", max_tokens=64)
    async with Host(catalog=catalog, home=tmp_path, environment={}) as host:
        known = [await ask("pharma", fact.train[0], host=host) for fact in facts]
        unknown = [await ask("pharma", text, host=host) for text in _OFF_TOPIC]
    assert all(answer.is_calibrated for answer in known)
    least = min(answer.confidence or 0.0 for answer in known)
    assert least > 0.5
    # With that as its threshold, the wiki keeps all that it knows and hands on half of the rest.
    assert sum((answer.confidence or 0.0) < least for answer in unknown) >= 5


async def test_only_versions_of_the_registry_are_calibrated(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="only versions of the registry"):
        await calibrate("offline", [], home=tmp_path)
