"""The step `length`: answers that are too long are cut at a sentence's end, too short ones go."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from finetune.curate.sentences import cut_text
from finetune.curate.step import Note, StepConfig, Verdict
from finetune.dataset.json_text import JsonPath
from finetune.dataset.rows import AssistantMessage, DpoRow, Message, SftRow, TextPart
from finetune.dataset.sample import Sample
from finetune.dataset.tokens import estimate_text

__all__ = ["LengthConfig"]


class LengthConfig(StepConfig):
    """Brings answers inside a length, estimated in tokens.

    The last answer of a conversation is cut; an earlier one, which the conversation goes on from,
    is only noted, and so is one without a place to cut. Answers of weight 0, tool calls and
    what tools said stay as they are.
    """

    step_name: ClassVar[str] = "length"

    max_answer_tokens: Annotated[int, Field(ge=16)] = 1024
    min_answer_tokens: Annotated[int, Field(ge=0)] = 1
    """Of the last answer; one that calls a tool is never too short."""
    long: Literal["trim", "drop", "flag"] = "trim"
    """What becomes of rows with too long answers."""
    short: Literal["drop", "flag"] = "drop"
    """What becomes of rows with too short answers."""

    @model_validator(mode="after")
    def _is_a_range(self) -> "LengthConfig":
        if self.min_answer_tokens > self.max_answer_tokens // 2:
            # A cut may leave half of the longest length.
            raise ValueError("min_answer_tokens is at most half of max_answer_tokens")
        return self

    def build(self) -> "_Length":
        """Return the step."""
        return _Length(self)


class _Length:
    def __init__(self, config: LengthConfig) -> None:
        self._config = config

    def judge(self, sample: Sample) -> Verdict:
        row = sample.row
        if isinstance(row, SftRow):
            messages, notes = self._messages(row.messages, ("messages",))
            changed = (
                row if messages is row.messages else row.model_copy(update={"messages": messages})
            )
        else:
            changed, notes = self._preference(row)
        codes = {note.code for note in notes}
        if ("short_answer" in codes and self._config.short == "drop") or (
            "long_answer" in codes and self._config.long == "drop"
        ):
            return Verdict(None, tuple(notes))
        return Verdict(sample if changed is row else sample._replace(row=changed), tuple(notes))

    def _preference(self, row: DpoRow) -> tuple[DpoRow, list[Note]]:
        better, notes = self._messages(row.preferred_output, ("preferred_output",))
        worse, more = self._messages(row.non_preferred_output, ("non_preferred_output",))
        # A worse answer may be bad for being short.
        notes += [note for note in more if note.code != "short_answer"]
        if better is row.preferred_output and worse is row.non_preferred_output:
            return row, notes
        if better == worse:
            return row, [Note("long_answer", "cut, both outputs would be the same")]
        update = {"preferred_output": better, "non_preferred_output": worse}
        return row.model_copy(update=update), notes

    def _messages(
        self, messages: tuple[Message, ...], where: JsonPath
    ) -> tuple[tuple[Message, ...], list[Note]]:
        """Return the messages, the last answer cut where it has to be, and what to say of them."""
        answers = [
            (at, message)
            for at, message in enumerate(messages)
            if isinstance(message, AssistantMessage) and message.weight != 0
        ]
        notes: list[Note] = []
        for at, message in answers:
            tokens = _tokens(message)
            # Parts are rare in answers; they are noted and not cut.
            text = message.content if isinstance(message.content, str) else None
            path = (*where, at, "content")
            is_last = at == answers[-1][0]
            if tokens > self._config.max_answer_tokens:
                cut = None
                if is_last and at == len(messages) - 1 and text is not None:
                    cut = self._cut(text)
                if cut is None:
                    notes.append(Note("long_answer", f"about {tokens} tokens", path))
                else:
                    left = estimate_text(cut)
                    told = f"about {tokens} tokens, {left} are left"
                    notes.append(Note("trimmed_answer", told, path))
                    message = message.model_copy(update={"content": cut})
                    messages = (*messages[:at], message, *messages[at + 1 :])
            elif is_last and tokens < self._config.min_answer_tokens and not message.tool_calls:
                notes.append(Note("short_answer", f"about {tokens} tokens", path))
        return messages, notes

    def _cut(self, text: str) -> str | None:
        if self._config.long != "trim":
            return None
        # Tokens are estimated from bytes, and a cut counts characters.
        start = text.encode("utf-8", "replace")[: 4 * self._config.max_answer_tokens]
        return cut_text(text, len(start.decode("utf-8", "ignore")))


def _tokens(message: AssistantMessage) -> int:
    if message.content is None or isinstance(message.content, str):
        return estimate_text(message.content or "")
    return sum(estimate_text(part.text) for part in message.content if isinstance(part, TextPart))
