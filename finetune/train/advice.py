"""Whether to train at all: a decision tree, and when a model of one's own pays for itself."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["Advice", "Answer", "Payback", "Trouble", "advise", "payback"]

Trouble = Literal["facts", "format", "style", "task", "cost"]
"""What is wrong today: invented or outdated facts, output that does not parse, the wrong tone, a
task that prompts do not bring about, or the bill."""

Answer = Literal["prompt", "structured output", "retrieval", "fine-tune"]
"""What to do: write a better prompt, constrain the output, look documents up, or train."""

_FEW_ROWS = 50
_FEW_CALLS = 100


class Advice(BaseModel):
    """What to do, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    answer: Answer
    is_local: bool
    """Whether the model must run on machines of one's own."""
    reasons: tuple[str, ...]
    """The branches of the tree that led here, in words."""


class Payback(BaseModel):
    """What a local model costs beside a hosted one."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    hosted_per_day: float
    """Dollars a day for the hosted model."""
    local_per_day: float
    """Dollars a day for the local one."""
    days: float | None
    """Days until the one-off cost is earned; None when it never is."""
    reason: str


def advise(
    trouble: Trouble,
    *,
    rows: int,
    per_day: int | None = None,
    is_private: bool = False,
    changes_often: bool = False,
) -> Advice:
    """Return whether to prompt, constrain the output, retrieve, or fine-tune.

    Args:
        trouble: What is wrong today.
        rows: Good examples at hand.
        per_day: Questions a day; None when not known.
        is_private: Whether the data may not leave one's own machines.
        changes_often: Whether the facts change faster than a model is trained.
    """
    reasons: list[str] = []
    if is_private:
        reasons.append("the data is private, so the model must run on machines of your own")

    def found(answer: Answer, reason: str) -> Advice:
        return Advice(answer=answer, is_local=is_private, reasons=(*reasons, reason))

    if trouble == "format":
        return found(
            "structured output",
            "output that does not parse is cured by a schema that the decoder obeys"
            " (add_outline), without any training",
        )
    if trouble == "facts" or changes_often:
        return found(
            "retrieval",
            "facts that are invented or change are looked up (a wiki over documents); training"
            " teaches manners better than facts, and a changed fact needs no new training",
        )
    if rows < _FEW_ROWS:
        return found(
            "prompt",
            f"{rows} examples are too few to train on (at least {_FEW_ROWS});"
            " put the best of them into the prompt, and collect more",
        )
    if per_day is not None and per_day < _FEW_CALLS and not is_private:
        return found(
            "prompt",
            f"{per_day} questions a day do not repay the work of training; a good prompt does",
        )
    return found(
        "fine-tune",
        f"{rows} examples show a {'tone' if trouble == 'style' else 'task'} that is the same every"
        " time, which is what training is for",
    )


def payback(
    per_day: int, *, call_cost: float = 0.01, local_day_cost: float = 2.0, one_off: float = 100.0
) -> Payback:
    """Return after how many days a local model has earned what it cost to make.

    Args:
        per_day: Questions a day.
        call_cost: Dollars of a question to the hosted model; about 2,000 tokens in and 300 out of
            a large one by default.
        local_day_cost: Dollars a day for the machine that serves the local model.
        one_off: Dollars for training and judging it once.
    """
    hosted = per_day * call_cost
    saved = hosted - local_day_cost
    if saved <= 0:
        days, reason = None, "the local machine costs more a day than the calls that it replaces"
    else:
        days = round(one_off / saved, 1)
        reason = f"it saves ${saved:.2f} a day and costs ${one_off:.2f} once"
        if per_day < _FEW_CALLS:
            reason += f"; below {_FEW_CALLS} questions a day a prompt is less work"
    return Payback(
        hosted_per_day=round(hosted, 4), local_per_day=local_day_cost, days=days, reason=reason
    )
