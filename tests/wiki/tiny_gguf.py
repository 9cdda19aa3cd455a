"""A GGUF file with random weights: small enough to write for a test, real enough to be served.

It is a Llama with byte-level tokens and a ChatML template. What it says is noise, but the same
noise for the same question, and that is all that a test of the machinery needs.
"""

# gguf ships without complete types, and numpy's random generator is typed as partly unknown.
# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false

from pathlib import Path

import gguf
import numpy as np

__all__ = ["CHAT_TEMPLATE", "CONTEXT_LENGTH", "write_tiny_gguf"]

CONTEXT_LENGTH = 512
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_MERGES = ("h e", "t h", "i n", "e r", "a n", "th e", "in g", "an d", "Ġ a", "Ġ the", "o u", "Ġ w")
_HIDDEN, _LAYERS, _HEADS, _KV_HEADS, _FEED_FORWARD = 64, 2, 4, 2, 128


def write_tiny_gguf(
    path: Path,
    *,
    name: str = "tiny",
    seed: int = 7,
    architecture: str = "llama",
    chat_template: str = CHAT_TEMPLATE,
) -> Path:
    """Write the model and return its path.

    Args:
        path: The file to write.
        name: What the file says its name is.
        seed: Another seed gives another model of the same shape.
        architecture: Another word gives a file that no engine knows.
        chat_template: Jinja source.
    """
    tokens, types = _vocabulary()
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name(name)
    writer.add_context_length(CONTEXT_LENGTH)
    writer.add_embedding_length(_HIDDEN)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_FEED_FORWARD)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_HIDDEN // _HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(int(gguf.LlamaFileType.ALL_F32))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(list(_MERGES))
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(chat_template)
    for tensor, shape in _shapes(len(tokens)).items():
        writer.add_tensor(tensor, _values(tensor, shape, seed))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _vocabulary() -> tuple[list[str], list[int]]:
    """Return the tokens and their types: all bytes, the merges, then the marks of the template."""
    # GPT-2 writes bytes that are no printable character as the characters from 256 upwards.
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    shifted = (chr(256 + position) for position in range(256 - len(printable)))
    characters = [chr(byte) for byte in printable] + list(shifted)
    words = characters + [merge.replace(" ", "") for merge in _MERGES]
    types = [int(gguf.TokenType.NORMAL)] * len(words)
    return words + list(_SPECIALS), types + [int(gguf.TokenType.CONTROL)] * len(_SPECIALS)


def _shapes(vocabulary: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor."""
    head = _HIDDEN // _HEADS
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (vocabulary, _HIDDEN)}
    for layer in range(_LAYERS):
        shapes |= {
            f"blk.{layer}.attn_norm.weight": (_HIDDEN,),
            f"blk.{layer}.attn_q.weight": (_HIDDEN, _HIDDEN),
            f"blk.{layer}.attn_k.weight": (head * _KV_HEADS, _HIDDEN),
            f"blk.{layer}.attn_v.weight": (head * _KV_HEADS, _HIDDEN),
            f"blk.{layer}.attn_output.weight": (_HIDDEN, _HIDDEN),
            f"blk.{layer}.ffn_norm.weight": (_HIDDEN,),
            f"blk.{layer}.ffn_gate.weight": (_FEED_FORWARD, _HIDDEN),
            f"blk.{layer}.ffn_up.weight": (_FEED_FORWARD, _HIDDEN),
            f"blk.{layer}.ffn_down.weight": (_HIDDEN, _FEED_FORWARD),
        }
    return shapes | {"output_norm.weight": (_HIDDEN,), "output.weight": (vocabulary, _HIDDEN)}


def _values(tensor: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return the tensor's numbers, those of the output such that greedy answers are ASCII."""
    if "norm" in tensor:
        return np.ones(shape, dtype=np.float32)
    values = np.random.default_rng([seed, *tensor.encode()]).normal(0, 0.3, shape)
    if tensor == "output.weight":
        # The first tokens are the printable ASCII characters.
        values[0x7F - 0x21 :] = 0
    return values.astype(np.float32)
