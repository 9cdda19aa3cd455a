"""The merging process: `python -m finetune.package.merge_worker FOLDER`.

Reads job.json of the folder and writes the merged model to `model` in it. Only
`finetune.package.adapter` starts it.
"""

# peft and transformers ship no complete types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportMissingTypeStubs=false, reportUnknownArgumentType=false

import json
from pathlib import Path

from finetune.train.base import load_base
from finetune.train.child import Reporter, child_main
from swarm.errors import DataError, require

__all__ = ["main"]


def main(folder: Path, reporter: Reporter) -> None:
    """Merge and save."""
    job: dict[str, str] = json.loads((folder / "job.json").read_text("utf-8"))
    require("peft", extra="train")
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors import safe_open

    model, tokenizer = load_base(Path(job["base"]))
    try:
        adapted = PeftModel.from_pretrained(model, job["adapter"], local_files_only=True)
    except (RuntimeError, ValueError, TypeError) as error:
        raise DataError(f"{job['adapter']} does not fit its base: {error}") from error
    # Weights that are missing only cause a warning in PEFT, and the model is then the base's.
    with safe_open(Path(job["adapter"]) / "adapter_model.safetensors", framework="pt") as weights:
        stored: set[str] = set(weights.keys())
    fitting: set[str] = set(get_peft_model_state_dict(adapted))
    if other := stored ^ fitting:
        raise DataError(f"{job['adapter']} does not fit its configuration: {min(other)}")
    merged = adapted.merge_and_unload(safe_merge=True)
    merged.save_pretrained(folder / "model", safe_serialization=True)
    tokenizer.save_pretrained(folder / "model")
    reporter.send(kind="done")


if __name__ == "__main__":
    child_main(main)
