"""Tokenizers: one learned from the training data, and how rows become token ids and labels.

Imports the tokenizer libraries when called, so it is only ever called in the worker process.
"""

# transformers and tokenizers ship no complete types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from finetune.train.rows import Message
from finetune.train.template import END_OF_TEXT, END_OF_TURN, START_OF_TURN, TEMPLATE
from swarm.errors import require

__all__ = ["Tokens", "batch_order", "learn_tokenizer", "tokenize"]

_NO_LOSS = -100


class Tokens(NamedTuple):
    """A conversation as the trainer sees it."""

    input_ids: list[int]
    labels: list[int]
    """The answers' token ids; -100 everywhere else."""


def learn_tokenizer(chats: Sequence[Sequence[Message]], *, vocab: int, context: int) -> Any:
    """Return a byte-level BPE tokenizer (GPT-2's split) learned from conversations."""
    require("tokenizers", extra="train")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    specials = [END_OF_TEXT, START_OF_TURN, END_OF_TURN]
    raw = Tokenizer(models.BPE())
    # llama.cpp knows this split as "gpt-2"; any other one would need its own name there.
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab,
        special_tokens=specials,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    texts = [f"{m['role']}\n{m['content']}" for chat in chats for m in chat]
    raw.train_from_iterator([*texts, "assistant\n", "system\n", "user\n"], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        pad_token=END_OF_TEXT,
        eos_token=END_OF_TURN,
        additional_special_tokens=[START_OF_TURN],
        chat_template=TEMPLATE,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )


def tokenize(
    tokenizer: Any, chats: Sequence[Sequence[Message]], *, max_length: int
) -> list[Tokens]:
    """Return token ids and labels; only the assistant's words and end marks carry loss.

    A template with `generation` tags marks every answer. With any other template the loss is on
    the last answer: everything after the prompt as the template writes it.
    """
    if "{% generation %}" in (tokenizer.chat_template or ""):
        encoded = tokenizer.apply_chat_template(
            [list(chat) for chat in chats],
            tokenize=True,
            return_dict=True,
            return_assistant_tokens_mask=True,
        )
        pairs = zip(encoded["input_ids"], encoded["assistant_masks"], strict=True)
        return [_cut(list(ids), list(mask), max_length) for ids, mask in pairs]
    rows: list[Tokens] = []
    for chat in chats:
        ids = _ids(tokenizer, chat, prompt=False)
        start = len(_ids(tokenizer, chat[:-1], prompt=True))
        rows.append(_cut(ids, [int(at >= start) for at in range(len(ids))], max_length))
    return rows


def batch_order(
    rows: Sequence[Tokens], *, pass_size: int, batch_size: int, seed: int
) -> list[Tokens]:
    """Return the rows so that each batch holds rows of similar length, pass after pass.

    Padding costs as much as text; which batch comes when stays random.
    """
    rng = random.Random(f"batches:{seed}")
    ordered: list[Tokens] = []
    rest: list[Tokens] = []
    for start in range(0, len(rows), pass_size):
        part = sorted(rows[start : start + pass_size], key=lambda row: len(row.input_ids))
        batches = [part[at : at + batch_size] for at in range(0, len(part), batch_size)]
        rng.shuffle(batches)
        # A short batch in the middle would shift all later ones.
        ordered += [row for batch in batches if len(batch) == batch_size for row in batch]
        rest += [row for batch in batches if len(batch) < batch_size for row in batch]
    return ordered + rest


def _ids(tokenizer: Any, chat: Sequence[Message], *, prompt: bool) -> list[int]:
    text = tokenizer.apply_chat_template(list(chat), tokenize=False, add_generation_prompt=prompt)
    # The template writes the opening tokens itself.
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _cut(ids: list[int], mask: list[int], max_length: int) -> Tokens:
    labels = [token if on else _NO_LOSS for token, on in zip(ids, mask, strict=True)]
    return Tokens(ids[:max_length], labels[:max_length])
