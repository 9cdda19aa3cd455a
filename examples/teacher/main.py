"""A teacher answers, a student learns the answers by heart, and serves in its place.

    python examples/teacher/main.py            # without a key: a lookup stands in for the teacher
    TEACHER_MODEL=openai/gpt-5 python examples/teacher/main.py

The teacher reads the handbook with every question. Its captured answers become training rows,
a small model learns them, is packaged as a GGUF file, and answers without the handbook.
"""

import sys
from pathlib import Path

from declarative import load
from finetune import TrainConfig, TrainProgress, collect, publish, read_questions, train
from finetune.dataset.write import write_rows
from finetune.questions import normalise
from finetune.train import ModelShape
from swarm import Host, run_sync, session
from swarm.host import default_home
from wiki import ModelRegistry
from wiki.serving import serve_model

HERE = Path(__file__).parent
STUDENT = TrainConfig(
    shape=ModelShape(hidden=64, layers=2, heads=2, kv_heads=1, ffn=128, vocab=400, context=128),
    epochs=150,
    batch_size=12,
    learning_rate=4e-3,
)
"""Made from nothing on a CPU. For real use take a base model: `TrainConfig(base=..., lora=...)`."""


async def main() -> int:
    """Teach, train, serve and compare; 0 if the student knows at least four of five answers."""
    home = default_home()
    load(HERE / "swarm.yaml")
    questions = read_questions(HERE / "handbook.yaml")
    trained = [text for fact in questions for text in fact.train]
    async with Host(home=home) as host:
        async with session("school", "lessons", host=host) as lessons:
            taught = {text: await lessons.complete(text) for text in trained}
        found = await collect(host.database, wiki_name="teacher_wiki")
    corpus = write_rows(home / "dataset" / "lessons.jsonl", found.sft_rows)
    print(f"the teacher gave {corpus.rows} rows: {corpus.path}")

    result = await train(
        STUDENT, data=corpus.path, output_dir=home / "runs" / "student", on_progress=_show
    )
    registry = ModelRegistry(home / "models")
    version = await publish(result.run_dir, "handbook", registry)
    registry.promote("handbook", version.version)
    print(f"handbook@{version.version} is live: {version.weights}")

    async with Host(home=home) as host, session("reader", "library", host=host) as library:
        known = 0
        for text, answer in taught.items():
            said = await library.complete(text)
            known += normalise(said) == normalise(answer)
    print(f"the student knows {known} of {len(taught)} answers without the handbook")

    # The same file behind an API that other programs speak; `ollama create` takes it as well.
    async with serve_model("registry/handbook@live", port=0, home=home) as server:
        print(f"served at {server.base_url} as {server.model}")
    print(f"ollama create handbook -f {version.path / 'Modelfile'}")
    return 0 if known >= 0.8 * len(taught) else 1


def _show(progress: TrainProgress) -> None:
    if progress.step % 50 == 0 or progress.step == progress.total_steps:
        done = f"step {progress.step} of {progress.total_steps}"
        print(f"{done}, loss {progress.loss:.3f}", flush=True)


if __name__ == "__main__":
    sys.exit(run_sync(main))
