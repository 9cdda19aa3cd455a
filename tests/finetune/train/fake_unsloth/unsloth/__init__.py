"""Stands in for Unsloth 2026.10 where there is no GPU: its signatures, done by transformers.

It takes the arguments that Unsloth takes and no other, refuses to come after the libraries that
Unsloth patches, and writes each call to the file named by FAKE_UNSLOTH_CALLS.
"""

# pyright: basic, reportArgumentType=false

import json
import os
import sys
import types
from pathlib import Path
from typing import Any

__all__ = ["FastLanguageModel"]

if early := {"trl", "transformers", "peft"} & set(sys.modules):
    raise ImportError(f"imported after {early}")


def _note(name: str, values: dict[str, Any]) -> None:
    simple = {k: v for k, v in values.items() if k not in ("model", "tokenizer", "self")}
    with Path(os.environ["FAKE_UNSLOTH_CALLS"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps([name, simple], default=str) + "\n")


class FastLanguageModel:
    """Unsloth's door."""

    @staticmethod
    def from_pretrained(
        model_name: str = "unsloth/Llama-3.2-1B-Instruct",
        max_seq_length: int = 2048,
        dtype: Any = None,
        load_in_4bit: bool = True,
        load_in_8bit: bool = False,
        load_in_16bit: bool = False,
        full_finetuning: bool = False,
        token: str | None = None,
        device_map: Any = "sequential",
        rope_scaling: Any = None,
        fix_tokenizer: bool = True,
        trust_remote_code: bool = False,
        use_gradient_checkpointing: str | bool = "unsloth",
        resize_model_vocab: int | None = None,
        revision: str | None = None,
        use_exact_model_name: bool = False,
        offload_embedding: bool = False,
        float32_mixed_precision: bool | None = None,
        fast_inference: bool = False,
        gpu_memory_utilization: float = 0.5,
        float8_kv_cache: bool = False,
        random_state: int = 3407,
        max_lora_rank: int = 64,
        disable_log_stats: bool = True,
        qat_scheme: str | None = None,
        load_in_fp8: bool = False,
        unsloth_tiled_mlp: bool = False,
        text_only: bool = False,
    ) -> tuple[Any, Any]:
        """Load a folder."""
        _note("from_pretrained", dict(locals()))
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(model_name)
        return AutoModelForCausalLM.from_pretrained(model_name, dtype="float32"), tokenizer

    @staticmethod
    def get_peft_model(
        model: Any,
        r: int = 16,
        target_modules: Any = (),
        lora_alpha: int = 16,
        lora_dropout: float = 0.0,
        bias: str = "none",
        layers_to_transform: Any = None,
        layers_pattern: Any = None,
        finetune_last_n_layers: int | None = None,
        use_gradient_checkpointing: str | bool = "unsloth",
        random_state: int = 3407,
        max_seq_length: int = 2048,
        use_rslora: bool = False,
        modules_to_save: Any = None,
        init_lora_weights: bool = True,
        loftq_config: Any = None,
        temporary_location: str = "",
        qat_scheme: str | None = None,
        target_parameters: Any = None,
        ensure_weight_tying: bool | None = None,
        offload_layers: Any = None,
        checkpoint_skip_layers: int = 0,
    ) -> Any:
        """Add an adapter."""
        _note("get_peft_model", dict(locals()))
        from peft import LoraConfig, get_peft_model

        config = LoraConfig(
            r=r, target_modules=target_modules, lora_alpha=lora_alpha, lora_dropout=lora_dropout,
            bias=bias, task_type="CAUSAL_LM",
        )  # fmt: skip
        found = get_peft_model(model, config)

        def save_pretrained_merged(
            self: Any,
            save_directory: str,
            tokenizer: Any = None,
            save_method: str = "merged_16bit",
            push_to_hub: bool = False,
            token: str | None = None,
        ) -> None:
            _note("save_pretrained_merged", dict(locals()))
            merged = self.merge_and_unload().half()
            merged.save_pretrained(save_directory)
            tokenizer.save_pretrained(save_directory)

        found.save_pretrained_merged = types.MethodType(save_pretrained_merged, found)
        return found
