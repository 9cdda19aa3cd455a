"""The built-in GGUF writer: Llama-shaped models, without torch and without llama.cpp.

It knows the architectures `llama`, `mistral` and `qwen2` with byte-level BPE tokenizers. Everything
else is for llama.cpp's own converter (`finetune.package.llama_cpp`).
"""

# gguf and numpy's dynamic dtypes are only partly typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from anyio import to_thread

from finetune.package.converter import PackagingError, Quantisation, UnknownModelError
from finetune.package.mixture import FILE_TYPES, Mixture, add_tensor, check_known
from finetune.package.vocabulary import Vocabulary, read_vocabulary
from swarm.errors import require

__all__ = ["BuiltinConverter"]

_ARCHITECTURES = {"llama": "llama", "mistral": "llama", "qwen2": "qwen2"}
_DTYPES = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "BF16": "<u2"}


class BuiltinConverter:
    """Writes GGUF files with the `gguf` package."""

    @property
    def name(self) -> str:
        """Return `builtin`."""
        return "builtin"

    async def convert(self, model_dir: Path, output: Path, quantisation: Quantisation) -> None:
        """Write a model to a GGUF file.

        Raises:
            UnknownModelError: The architecture, rope scaling or tokenizer is not known here.
            PackagingError: The weights are damaged or in files that are not read.
            MissingExtraError: `gguf`, `numpy` or `safetensors` is not installed.
        """
        await to_thread.run_sync(_write, model_dir, output, quantisation)


def _write(model_dir: Path, output: Path, quantisation: Quantisation) -> None:
    check_known(quantisation)
    gguf = require("gguf", extra="gguf")
    config: dict[str, Any] = json.loads((model_dir / "config.json").read_text(encoding="utf-8"))
    architecture = _architecture(config, model_dir)
    vocabulary = read_vocabulary(model_dir, size=int(config["vocab_size"]))
    writer = gguf.GGUFWriter(output, architecture)
    try:
        _write_shape(writer, config, gguf.LlamaFileType[FILE_TYPES[quantisation]])
        _write_vocabulary(writer, vocabulary, gguf.TokenType)
        names = gguf.get_tensor_name_map(
            next(k for k, v in gguf.MODEL_ARCH_NAMES.items() if v == architecture),
            int(config["num_hidden_layers"]),
        )
        mixture = Mixture(
            layers=int(config["num_hidden_layers"]), tied=bool(config.get("tie_word_embeddings"))
        )
        for name, tensor in _tensors(model_dir):
            if name.endswith("rotary_emb.inv_freq"):
                continue
            if name == "lm_head.weight" and config.get("tie_word_embeddings"):
                continue
            target = names.get_name(name, try_suffixes=(".weight", ".bias"))
            if target is None:
                raise UnknownModelError(f"{model_dir}: tensor {name} is unknown. {_OTHER_WAY}")
            data = _permuted(name, tensor, config) if architecture == "llama" else tensor
            add_tensor(writer, target, data, quantisation, mixture)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


_OTHER_WAY = (
    "Use llama.cpp's converter: set LLAMA_CPP_DIR to a llama.cpp checkout "
    "(the folder with convert_hf_to_gguf.py)"
)


def _architecture(config: dict[str, Any], model_dir: Path) -> str:
    kind = str(config.get("model_type"))
    if kind not in _ARCHITECTURES:
        known = ", ".join(sorted(_ARCHITECTURES))
        raise UnknownModelError(
            f"{model_dir}: architecture {kind!r} is not among {known}. {_OTHER_WAY}"
        )
    rope = config.get("rope_scaling") or config.get("rope_parameters") or {}
    scaling = rope.get("rope_type") or rope.get("type") or "default"
    if scaling != "default":
        raise UnknownModelError(f"{model_dir}: rope scaling {scaling!r} is unknown. {_OTHER_WAY}")
    if config.get("use_sliding_window"):
        raise UnknownModelError(f"{model_dir}: sliding windows are unknown. {_OTHER_WAY}")
    return _ARCHITECTURES[kind]


def _write_shape(writer: Any, config: dict[str, Any], file_type: Any) -> None:
    heads = int(config["num_attention_heads"])
    width = int(config["hidden_size"])
    head_width = int(config.get("head_dim") or width // heads)
    rope: dict[str, Any] = config.get("rope_parameters") or {}
    writer.add_file_type(file_type)
    writer.add_quantization_version(2)
    writer.add_vocab_size(int(config["vocab_size"]))
    writer.add_context_length(int(config["max_position_embeddings"]))
    writer.add_embedding_length(width)
    writer.add_block_count(int(config["num_hidden_layers"]))
    writer.add_feed_forward_length(int(config["intermediate_size"]))
    writer.add_head_count(heads)
    writer.add_head_count_kv(int(config.get("num_key_value_heads") or heads))
    writer.add_key_length(head_width)
    writer.add_value_length(head_width)
    writer.add_rope_dimension_count(head_width)
    writer.add_rope_freq_base(float(rope.get("rope_theta") or config.get("rope_theta") or 1e4))
    writer.add_layer_norm_rms_eps(float(config["rms_norm_eps"]))


def _write_vocabulary(writer: Any, vocabulary: Vocabulary, kinds: Any) -> None:
    def kind(number: int) -> Any:
        if number in vocabulary.unused:
            return kinds.UNUSED
        if number in vocabulary.special:
            return kinds.CONTROL
        return kinds.USER_DEFINED if number in vocabulary.added else kinds.NORMAL

    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(vocabulary.split)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types([kind(number) for number in range(len(vocabulary.tokens))])
    writer.add_token_merges(vocabulary.merges)
    writer.add_add_bos_token(vocabulary.add_bos)
    for name, add in (
        ("bos", writer.add_bos_token_id),
        ("eos", writer.add_eos_token_id),
        ("pad", writer.add_pad_token_id),
        ("unk", writer.add_unk_token_id),
    ):
        if name in vocabulary.ids:
            add(vocabulary.ids[name])
    if vocabulary.chat_template is not None:
        writer.add_chat_template(vocabulary.chat_template)


def _tensors(model_dir: Path) -> Iterator[tuple[str, Any]]:
    numpy = require("numpy", extra="gguf")
    safetensors = require("safetensors", extra="gguf")
    files = sorted(model_dir.glob("*.safetensors"))
    if not files:
        raise PackagingError(f"{model_dir}: no *.safetensors; other weight files are not read")
    for path in files:
        # numpy has no bfloat16, so the raw bytes are read and widened.
        for name, raw in sorted(safetensors.deserialize(path.read_bytes())):
            if raw["dtype"] not in _DTYPES:
                raise PackagingError(f"{path}: {name} has weights of type {raw['dtype']}")
            data = numpy.frombuffer(raw["data"], dtype=_DTYPES[raw["dtype"]])
            if raw["dtype"] == "BF16":
                data = (data.astype("<u4") << 16).view("<f4")
            yield name, data.reshape(raw["shape"]).astype("<f4")


def _permuted(name: str, tensor: Any, config: dict[str, Any]) -> Any:
    # llama.cpp rotates neighbouring halves of a head, transformers the first half with the second.
    if name.endswith(("q_proj.weight", "q_proj.bias")):
        heads = int(config["num_attention_heads"])
    elif name.endswith(("k_proj.weight", "k_proj.bias")):
        heads = int(config.get("num_key_value_heads") or config["num_attention_heads"])
    else:
        return tensor
    shape = tensor.shape
    halves = tensor.reshape(heads, 2, shape[0] // heads // 2, *shape[1:])
    return halves.swapaxes(1, 2).reshape(shape)
