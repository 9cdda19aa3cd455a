"""The model that training starts from: made from nothing, or loaded from a folder.

Imports torch and transformers when called, so it is only ever called in the worker process.
"""

# transformers ships no complete types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportMissingTypeStubs=false

from pathlib import Path
from typing import Any

from finetune.train.config import ModelShape
from finetune.train.files import model_folder
from swarm.errors import require

__all__ = ["load_base", "make_model"]


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


def load_base(folder: Path) -> tuple[Any, Any]:
    """Return model and tokenizer of a Hugging Face folder (safetensors only, nothing is run).

    Raises:
        DataError: There is no model in this folder.
    """
    require("transformers", extra="train")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place = model_folder(folder)
    tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(
        place, local_files_only=True, use_safetensors=True, dtype="float32"
    )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer
