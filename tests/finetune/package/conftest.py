"""A second trained model: wide enough for blocks of 256 weights."""

from pathlib import Path

import anyio
import pytest

from finetune.train import ModelShape, TrainConfig, TrainResult, train


@pytest.fixture(scope="session")
def wide_run(facts_file: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    """A finished SFT run of a model with rows of 256 weights, on the four facts."""
    config = TrainConfig(
        shape=ModelShape(
            hidden=256, layers=2, heads=4, kv_heads=4, ffn=256, vocab=400, context=128
        ),
        epochs=40,
        batch_size=12,
        learning_rate=2e-3,
    )
    folder = tmp_path_factory.mktemp("wide") / "run"
    return anyio.run(lambda: train(config, data=facts_file, output_dir=folder))
