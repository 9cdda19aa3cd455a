"""lm-eval itself, asked for a small task of our own about a served model."""

import importlib.util
import json
from pathlib import Path

import pytest

from finetune.evaluate.benchmarks import BenchmarkSettings, run_benchmarks, serve_model
from finetune.publish import publish
from finetune.train import TrainResult
from wiki import ModelRegistry

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(importlib.util.find_spec("lm_eval") is None, reason="not installed"),
]

TASK = """\
task: shop_facts
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{answer}}}}"
generation_kwargs: {{until: ["\\n"], max_gen_toks: 32, do_sample: false}}
metric_list: [{{metric: exact_match, aggregation: mean, higher_is_better: true}}]
"""


@pytest.mark.requirement("S2-22")
async def test_a_task_of_our_own_is_asked_of_a_served_model(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    data = tmp_path / "test.jsonl"
    asked = [("When do you open?", "We open at nine."), ("Where are you?", "On the moon.")]
    rows = [json.dumps({"question": question, "answer": answer}) for question, answer in asked]
    data.write_text("\n".join(rows), encoding="utf-8")
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    (tasks / "shop_facts.yaml").write_text(TASK.format(data=data), encoding="utf-8")
    registry = ModelRegistry(tmp_path / "models")
    await publish(trained_run.run_dir, "facts", registry, parity_conversations=0)
    settings = BenchmarkSettings(tasks=("shop_facts",), kind="chat", task_folder=tasks)
    async with serve_model("registry/facts@1", home=tmp_path, log=tmp_path / "log") as server:
        scores = await run_benchmarks(server, settings, output_dir=tmp_path / "out")
    # One of the two questions is answered as the task expects.
    assert [(one.task, one.metric, one.value) for one in scores] == [
        ("shop_facts", "exact_match", 0.5)
    ]
