"""The model that training starts from: made from nothing, or loaded from a folder.

Imports torch and transformers when called, so it is only ever called in the worker process.
"""

# transformers ships no complete types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportMissingTypeStubs=false

import os
from pathlib import Path
from typing import Any

from finetune.train.adapter import check_adapter
from finetune.train.config import ModelShape, TrainConfig
from finetune.train.failure import no_gpu
from finetune.train.files import model_folder
from swarm.errors import require

__all__ = ["load_base", "make_model", "merged"]


def make_model(shape: ModelShape, tokenizer: Any) -> Any:
    """Return a Llama-shaped model with random weights; torch's seed decides them."""
    require("transformers", extra="train")
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=shape.hidden,
            intermediate_size=shape.ffn,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.kv_heads,
            max_position_embeddings=shape.context,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def load_base(folder: Path, config: TrainConfig | None = None) -> tuple[Any, Any]:
    """Return model and tokenizer of a Hugging Face folder (safetensors only, nothing is run).

    A configuration may ask for four bits, and name an adapter to go on from.

    Raises:
        DataError: There is no model in this folder, or the adapter is for another one.
        TrainingStopped: Four bits without a GPU.
    """
    require("transformers", extra="train")
    from transformers import AutoTokenizer

    place = model_folder(folder)
    tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = _load(place, config or TrainConfig())
    if config is not None and config.adapter is not None:
        from peft import PeftModel

        check_adapter(Path(config.adapter), place)
        model = PeftModel.from_pretrained(model, config.adapter, is_trainable=True)
    return model, tokenizer


def merged(model: Any, config: TrainConfig, adapter: Path | None) -> Any:
    """Return a trained model without adapter: merged into its weights where there is one.

    Weights in four bits cannot take an adapter without loss, so those are loaded anew in 16 bits.
    """
    if not hasattr(model, "merge_and_unload"):
        return model
    if config.quantization == "none" or adapter is None:
        return model.merge_and_unload()
    from peft import PeftModel

    place = model_folder(Path(config.base))
    fresh = _load(place, config.model_copy(update={"quantization": "none"}))
    return PeftModel.from_pretrained(fresh, str(adapter)).merge_and_unload()


def _load(place: Path, config: TrainConfig) -> Any:
    torch = require("torch", extra="train")
    from transformers import AutoModelForCausalLM

    options: dict[str, Any] = {"dtype": "float32"}
    if config.lora is not None and config.device == "auto" and torch.cuda.is_available():
        options["dtype"] = "bfloat16"  # frozen weights need no more
    if config.quantization == "4bit":
        if config.device == "cpu" or not torch.cuda.is_available():
            raise no_gpu("4-bit training (QLoRA)")
        require("bitsandbytes", extra="unsloth")
        from transformers import BitsAndBytesConfig

        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
        options["device_map"] = {"": int(os.environ.get("LOCAL_RANK", "0"))}
    return AutoModelForCausalLM.from_pretrained(
        place, local_files_only=True, use_safetensors=True, **options
    )
