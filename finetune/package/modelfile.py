"""The Ollama Modelfile of a GGUF file: template, stop marks and limits are always written out.

A model that is served with another template than it was trained with answers nonsense, and one
without its stop mark never ends; so neither is left to a server's guess.
"""

import json
from pathlib import Path

from finetune.package.converter import PackagingError, UnknownModelError
from finetune.package.vocabulary import read_vocabulary
from finetune.train.files import model_folder
from finetune.train.template import END_OF_TURN, TEMPLATE
from swarm.errors import StoreError
from swarm.files import write_atomically

__all__ = ["modelfile", "write_modelfile"]

_CHATML = (
    "{{- range .Messages }}<|im_start|>{{ .Role }}\n"
    "{{ .Content }}<|im_end|>\n"
    "{{ end }}<|im_start|>assistant\n"
)


def modelfile(
    gguf_name: str, *, num_ctx: int, system: str | None = None, temperature: float = 0.0
) -> str:
    """Return the Modelfile of a ChatML model.

    Args:
        gguf_name: Name of the GGUF file beside the Modelfile.
        num_ctx: Context length in tokens.
        system: The system message that the model was trained with.
        temperature: Sampling temperature; a wiki wants 0.

    Raises:
        PackagingError: The system message holds three quotes in a row.
    """
    if system is not None and '"""' in system:
        raise PackagingError('a Modelfile cannot hold a system message with """ in it')
    lines = [
        f"FROM ./{gguf_name}",
        f'TEMPLATE """{_CHATML}"""',
        f'PARAMETER stop "{END_OF_TURN}"',
        f"PARAMETER temperature {temperature:g}",
        f"PARAMETER num_ctx {num_ctx}",
    ]
    if system is not None:
        lines.append(f'SYSTEM """{system}"""')
    return "\n".join(lines) + "\n"


def write_modelfile(
    model: Path, gguf: Path, *, system: str | None = None, name: str = "Modelfile"
) -> Path:
    """Write a Modelfile beside a GGUF file and return its path.

    Args:
        model: The run folder or model folder that the GGUF file was made from.
        gguf: The GGUF file.
        system: The system message that the model was trained with.
        name: The Modelfile's own name.

    Raises:
        UnknownModelError: The chat template is not the ChatML of models made from nothing.
        PackagingError: The system message holds three quotes in a row.
        StoreError: It cannot be written.
    """
    folder = model_folder(model)
    config: dict[str, int] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    vocabulary = read_vocabulary(folder, size=config["vocab_size"])
    if vocabulary.chat_template != TEMPLATE:
        raise UnknownModelError(
            f"{folder}: its chat template has no Ollama form here; write the Modelfile by hand"
        )
    path = gguf.parent / name
    text = modelfile(gguf.name, num_ctx=config["max_position_embeddings"], system=system)
    try:
        write_atomically(path, text)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error
    return path
