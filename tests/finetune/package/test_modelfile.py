"""The Modelfile: template, stop marks and limits."""

import shutil
from pathlib import Path

import pytest

from finetune.package import PackagingError, modelfile, write_modelfile
from finetune.train import TrainResult
from swarm.errors import StoreError


@pytest.mark.requirement("S2-33")
def test_template_stop_mark_and_limits_are_written_out(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    path = write_modelfile(trained_run.run_dir, tmp_path / "wiki.gguf", system="Be brief.")
    assert path.read_text() == (
        "FROM ./wiki.gguf\n"
        'TEMPLATE """{{- range .Messages }}<|im_start|>{{ .Role }}\n'
        "{{ .Content }}<|im_end|>\n"
        '{{ end }}<|im_start|>assistant\n"""\n'
        'PARAMETER stop "<|im_end|>"\n'
        "PARAMETER temperature 0\n"
        "PARAMETER num_ctx 128\n"
        'SYSTEM """Be brief."""\n'
    )


def test_a_system_message_cannot_end_its_own_quotes() -> None:
    with pytest.raises(PackagingError):
        modelfile("a.gguf", num_ctx=128, system='x"""\nFROM other')


def test_an_unknown_template_is_refused(trained_run: TrainResult, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(trained_run.model_dir, model)
    (model / "chat_template.jinja").write_text("{{ messages }}")
    with pytest.raises(PackagingError, match="chat template"):
        write_modelfile(model, tmp_path / "wiki.gguf")


def test_a_folder_that_cannot_be_written_is_told(trained_run: TrainResult, tmp_path: Path) -> None:
    (tmp_path / "Modelfile").mkdir()
    with pytest.raises(StoreError, match=r"Modelfile: "):
        write_modelfile(trained_run.run_dir, tmp_path / "wiki.gguf")
