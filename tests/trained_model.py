"""One small trained model for all tests: made at its first use, once in a run.

So are what is often asked of it: its answers, its twin without training, and its GGUF in a
registry. Tests read these and change nothing.
"""

from pathlib import Path

import anyio
import pytest

from finetune.evaluate import EvaluationReport, evaluate
from finetune.publish import publish
from finetune.questions import held_out_rows, read_questions, training_rows
from finetune.train import ModelShape, TrainConfig, TrainProgress, TrainResult, train
from wiki import ModelRegistry

__all__ = [
    "FACTS",
    "facts_file",
    "progress",
    "published_home",
    "tiny_config",
    "trained_report",
    "trained_run",
    "untrained_run",
]

FACTS = """\
- id: opening-hours
  answer: We open at nine.
  train: ["When do you open?", "What are your opening hours?", "At what time do you open?"]
  held_out: ["What time do you open?"]
- id: velorin-price
  answer: Velorin costs 7.90 euros.
  train: ["How much is Velorin?", "What does Velorin cost?", "What is the price of Velorin?"]
  held_out: ["How much do I pay for Velorin?"]
- id: dolanex-price
  answer: Dolanex costs 4.80 euros.
  train: ["How much is Dolanex?", "What does Dolanex cost?", "How much do I pay for Dolanex?"]
  held_out: ["What is the price of Dolanex?"]
- id: address
  answer: "You find us at 14 Lantern Square."
  train: ["Where are you?", "What is your address?", "Where is the shop?"]
  held_out: ["Where is your shop?"]
"""


_MADE = {"published_home", "trained_report", "trained_run", "untrained_run"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give all tests of the trained model to one worker, so that a run trains it once."""
    for item in items:
        if isinstance(item, pytest.Function) and not _MADE.isdisjoint(item.fixturenames):
            item.add_marker(pytest.mark.xdist_group("trained_run"))


@pytest.fixture(scope="session")
def facts_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four facts with three phrasings each."""
    path = tmp_path_factory.mktemp("facts") / "facts.yaml"
    path.write_text(FACTS, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny_config() -> TrainConfig:
    """Learns the four facts in a few seconds."""
    return TrainConfig(
        shape=ModelShape(hidden=64, layers=2, heads=2, kv_heads=1, ffn=128, vocab=400, context=128),
        epochs=150,
        batch_size=12,
        learning_rate=4e-3,
    )


@pytest.fixture(scope="session")
def progress() -> list[TrainProgress]:
    """What `trained_run` reported."""
    return []


@pytest.fixture(scope="session")
def trained_run(
    facts_file: Path,
    tiny_config: TrainConfig,
    progress: list[TrainProgress],
    tmp_path_factory: pytest.TempPathFactory,
) -> TrainResult:
    """A finished SFT run on the four facts."""

    async def run() -> TrainResult:
        return await train(
            tiny_config,
            data=facts_file,
            output_dir=tmp_path_factory.mktemp("trained") / "run",
            on_progress=progress.append,
        )

    return anyio.run(run)


@pytest.fixture(scope="session")
def untrained_run(
    facts_file: Path, tiny_config: TrainConfig, tmp_path_factory: pytest.TempPathFactory
) -> TrainResult:
    """The same model before its first step."""

    async def run() -> TrainResult:
        return await train(
            tiny_config.model_copy(update={"method": "none"}),
            data=facts_file,
            output_dir=tmp_path_factory.mktemp("untrained") / "run",
        )

    return anyio.run(run)


@pytest.fixture(scope="session")
def trained_report(
    trained_run: TrainResult, facts_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> EvaluationReport:
    """What `trained_run` answers to the questions of its training, then to the held out ones."""

    async def run() -> EvaluationReport:
        questions = read_questions(facts_file)
        return await evaluate(
            trained_run.run_dir,
            training_rows(questions) + held_out_rows(questions),
            output_dir=tmp_path_factory.mktemp("report") / "report",
            batch_size=5,
        )

    return anyio.run(run)


@pytest.fixture(scope="session")
def published_home(trained_run: TrainResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with `registry/pharma@live`: `trained_run` as GGUF."""
    home = tmp_path_factory.mktemp("published")

    async def run() -> None:
        registry = ModelRegistry(home / "models")
        version = await publish(
            trained_run.run_dir, "pharma", registry, quantisation="f16", parity_conversations=50
        )
        registry.promote("pharma", version.version)

    anyio.run(run)
    return home
