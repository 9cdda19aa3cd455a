"""The loss of a model on expected answers; runs in the evaluation process only."""

# transformers ships no complete types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Sequence
from typing import Any, NamedTuple

from finetune.train.rows import Message
from finetune.train.tokenizer import Tokens, tokenize

__all__ = ["RowLoss", "row_losses"]

_NO_LOSS = -100
_LOGITS = 2**26
"""Numbers that one pass may have as its result, 256 MiB of them."""


class RowLoss(NamedTuple):
    """The loss of one row."""

    total: float
    """Sum over the answer's tokens, in nats."""
    tokens: int
    """Tokens of the answer, its end mark included."""


def row_losses(
    torch: Any, model: Any, tokenizer: Any, chats: Sequence[Sequence[Message]]
) -> list[RowLoss]:
    """Return the loss of each conversation's last answer, given everything before it.

    Rows are cut where the model's context ends, as they are in training.
    """
    limit = int(getattr(model.config, "max_position_embeddings", None) or 4096)
    rows = [_last_answer(row) for row in tokenize(tokenizer, chats, max_length=limit)]
    losses: list[RowLoss] = []
    start = 0
    while start < len(rows):
        end = _end_of_batch(rows, start, int(model.config.vocab_size))
        losses += _batch(torch, model, tokenizer.pad_token_id, rows[start:end])
        start = end
    return losses


def _last_answer(row: Tokens) -> Tokens:
    """Return a row whose loss is on its last answer alone: the earlier ones are its question."""
    labels = list(row.labels)
    at = len(labels)
    while at and labels[at - 1] == _NO_LOSS:
        at -= 1
    while at and labels[at - 1] != _NO_LOSS:
        at -= 1
    return Tokens(row.input_ids, [_NO_LOSS] * at + labels[at:])


def _end_of_batch(rows: Sequence[Tokens], start: int, vocabulary: int) -> int:
    longest, end = 0, start
    while end < len(rows):
        longest = max(longest, len(rows[end].input_ids))
        if end > start and (end - start + 1) * longest * vocabulary > _LOGITS:
            break
        end += 1
    return end


def _batch(torch: Any, model: Any, pad: int, rows: Sequence[Tokens]) -> list[RowLoss]:
    length = max(len(row.input_ids) for row in rows)
    ids = torch.full((len(rows), length), pad, dtype=torch.long)
    labels = torch.full((len(rows), length), _NO_LOSS, dtype=torch.long)
    mask = torch.zeros((len(rows), length), dtype=torch.long)
    for at, row in enumerate(rows):
        size = len(row.input_ids)
        ids[at, :size] = torch.tensor(row.input_ids)
        labels[at, :size] = torch.tensor(row.labels)
        mask[at, :size] = 1
    with torch.inference_mode():
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        # Each position predicts the token after it.
        wanted = labels[:, 1:]
        loss = torch.nn.functional.cross_entropy(
            logits[:, :-1].transpose(1, 2).float(), wanted, ignore_index=_NO_LOSS, reduction="none"
        )
    counts = (wanted != _NO_LOSS).sum(dim=1)
    return [
        RowLoss(float(total), int(count))
        for total, count in zip(loss.sum(dim=1), counts, strict=True)
    ]
