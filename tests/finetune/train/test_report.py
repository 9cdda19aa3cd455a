"""The report of a run: everything in one Markdown file and one HTML page."""

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from finetune.train import TrainConfig, TrainProgress, TrainResult
from finetune.train.curve import CurvePoint
from finetune.train.report import read_run, write_report
from finetune.train.svg import line_plot
from swarm.errors import DataError


@pytest.mark.requirement("S2-18", "S2-32")
def test_a_report_holds_config_metrics_resources_and_checkpoints(tmp_path: Path) -> None:
    config = TrainConfig(system="a | b <script>", learning_rate=3e-4)
    (tmp_path / "config.json").write_text(config.model_dump_json())
    lines: list[str] = []
    for step in range(1, 101):
        report = TrainProgress(
            step=step, total_steps=100, loss=3 / step + 0.4, epoch=step / 10, seconds=step / 2,
            learning_rate=1e-4, tokens_per_second=512.5, memory_mb=700.0,
        )  # fmt: skip
        lines.append(report.model_dump_json())
        if step % 10 == 0:
            loss = 0.5 + abs(step - 40) / 100
            lines.append(report.model_copy(update={"eval_loss": loss}).model_dump_json())
    done = {"seconds": 50.5, "cpu_seconds": 49.5, "memory_mb": 701.5, "parameters": 7, "rows": 9}
    lines.append(json.dumps({"done": done}))
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines))
    markdown, page = (path.read_text() for path in write_report(tmp_path))
    assert "| verdict | overfitting |" in markdown
    assert "| learning_rate | 0.0003 | changed |" in markdown
    assert "| highest memory, MB | 701.5 |" in markdown
    assert "| tokens per second | 512.5 |" in markdown
    assert "| 40 | 0.5 | best, kept in model/ |" in markdown
    assert "| epoch | training loss | validation loss | learning rate | seconds |" in markdown
    assert "a \\| b &lt;script>" in markdown
    assert "<script" not in page and "http" not in page
    plots = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(plots) == 2
    lines_drawn = [ElementTree.fromstring(plot).findall("polyline") for plot in plots]
    assert [len(found) for found in lines_drawn] == [2, 1]
    assert len((lines_drawn[0][1].get("points") or "").split()) == 10
    assert read_run(tmp_path).reading.best_step == 40


def test_a_real_run_has_a_report(trained_run: TrainResult) -> None:
    record = read_run(trained_run.run_dir)
    assert record.reading.verdict == "healthy"
    assert len(record.reports) == trained_run.steps
    assert record.done["rows"] == trained_run.rows


def test_what_is_no_run_has_no_report(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no training run"):
        write_report(tmp_path)
    assert line_plot("Nothing", {"a": []}) == ""
    one = line_plot("a & b", {"<x>": [CurvePoint(1, 2.0), CurvePoint(2, float("nan"))]})
    assert ElementTree.fromstring(one).find("circle") is not None
