"""The step `quality`: rows whose run failed, or whose answer is not worth learning."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from finetune.curate.answers import count_answers
from finetune.curate.language import Languages
from finetune.curate.pipeline import CurationError
from finetune.curate.refusals import find_refusals
from finetune.curate.score import (
    DIFFERENT,
    LONGEST_WORD,
    STOCK_WORDS,
    UNPUNCTUATED,
    Measures,
    measure,
    score,
)
from finetune.curate.screen import PlainRows
from finetune.curate.step import Note, StepConfig, Verdict
from finetune.curate.turns import Turns, turns_of
from finetune.dataset.sample import Provenance, Sample

__all__ = ["QualityConfig"]

_Tokens = Annotated[int, Field(ge=0)]
_Share = Annotated[float, Field(ge=0, le=1)]


class QualityConfig(StepConfig):
    """Removes failed runs, refusals, empty, repeated, garbled and poorly rated answers.

    Where a person corrected the answer, neither the run's end nor its rating counts. Tokens are
    estimates.
    """

    step_name: ClassVar[str] = "quality"

    mode: Literal["drop", "flag"] = "drop"
    """`flag` keeps every row, and notes what was found."""
    min_rating: Annotated[int, Field(ge=1, le=5)] | None = None
    """Drops rows with a lower rating; rows without one stay."""
    min_quality_score: _Share | None = None
    """Drops rows with a lower score, see `score_of`; a faultless row without a rating has 0.7."""
    min_question_tokens: _Tokens = 1
    max_question_tokens: _Tokens | None = None
    min_answer_tokens: _Tokens = 1
    """Arguments of tool calls count; `Yes.` has 1."""
    max_answer_tokens: _Tokens | None = None
    max_refusal: _Share = 0.5
    """The largest share of an answer that may decline; 1 keeps refusals."""
    max_repetition: _Share = 0.3
    """The largest share of an answer that may repeat itself."""
    max_capitals: _Share = 0.7
    """The largest share of capitals among an answer's letters."""
    max_broken: _Share = 0.3
    """The largest share of an answer that may be no text."""
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...] = ()
    """Drops answers surely in another language; needs py3langid. Empty keeps all."""

    def build(self) -> "_Quality":
        """Return the step.

        Raises:
            MissingExtraError: Languages are wanted, and py3langid is missing.
            CurationError: A language is none that py3langid knows.
        """
        languages = None
        if self.languages:
            try:
                languages = Languages(self.languages)
            except ValueError as error:
                raise CurationError(f"quality.languages: {error}") from None
        return _Quality(self, languages)


class _Quality:
    def __init__(self, config: QualityConfig, languages: Languages | None) -> None:
        self._config, self._languages = config, languages

    def suspects(self, rows: PlainRows) -> frozenset[int]:
        """Return the rows that may break a limit, and those that nothing quick tells about."""
        config = self._config
        find = find_refusals()
        if find is None or config.languages or config.min_quality_score is not None:
            return rows.places
        counts = count_answers(rows)
        if counts is None:
            return rows.places
        is_suspect = counts.words <= STOCK_WORDS
        is_suspect |= counts.size > LONGEST_WORD * (counts.words + 1)
        is_suspect |= counts.different <= DIFFERENT * counts.words
        is_suspect |= counts.capitals >= config.max_capitals * counts.letters
        is_suspect |= counts.letters <= UNPUNCTUATED * counts.size
        is_suspect |= counts.question_tokens < config.min_question_tokens
        is_suspect |= counts.answer_tokens < config.min_answer_tokens
        if config.max_question_tokens is not None:
            is_suspect |= counts.question_tokens > config.max_question_tokens
        if config.max_answer_tokens is not None:
            is_suspect |= counts.answer_tokens > config.max_answer_tokens
        is_outside = [any(_by_provenance(config, one.provenance)) for one in rows.samples]
        suspects = rows.where(is_suspect.tolist()) | rows.where(is_outside)
        return suspects | counts.rows.having(find)

    def judge(self, sample: Sample) -> Verdict:
        turns = turns_of(sample.row)
        measures = measure(turns)
        notes = (
            *_by_provenance(self._config, sample.provenance),
            *_by_length(self._config, measures.question_tokens, measures.answer_tokens),
            *self._by_content(turns, measures),
            *_by_score(self._config, measures, sample.provenance),
        )
        if notes and self._config.mode == "drop":
            return Verdict(None, notes)
        return Verdict(sample, notes)

    def _by_content(self, turns: Turns, measures: Measures) -> Iterator[Note]:
        config = self._config
        if measures.refusal > config.max_refusal:
            yield Note("refusal", f"{measures.refusal:.0%} of the answer declines")
        if measures.is_stock:
            yield Note("stock_answer", "the answer says only what stands in every answer")
        if measures.repetition > config.max_repetition:
            yield Note("repetition", f"{measures.repetition:.0%} of the answer was there before")
        if measures.capitals > config.max_capitals:
            yield Note("capitals", f"{measures.capitals:.0%} of the letters are capitals")
        if measures.broken > config.max_broken:
            yield Note("garbled", "the answer is no text, or was read in a wrong encoding")
        if self._languages is not None and self._languages.is_other(turns.answer):
            yield Note("other_language", f"not in {', '.join(config.languages)}")


def _by_provenance(config: QualityConfig, origin: Provenance) -> Iterator[Note]:
    if origin.is_corrected:
        return
    if origin.status not in (None, "answered"):
        yield Note(f"run_{origin.status}", f"the run ended as {origin.status}")
    rating, least = origin.rating, config.min_rating
    if least is not None and rating is not None and rating < least:
        yield Note("low_rating", f"{rating} of 5, wanted {least}")


def _by_length(config: QualityConfig, question: int, answer: int) -> Iterator[Note]:
    for side, tokens, least, most in (
        ("question", question, config.min_question_tokens, config.max_question_tokens),
        ("answer", answer, config.min_answer_tokens, config.max_answer_tokens),
    ):
        if tokens < least:
            yield Note(f"short_{side}", f"about {tokens} tokens, wanted {least}")
        elif most is not None and tokens > most:
            yield Note(f"long_{side}", f"about {tokens} tokens, wanted at most {most}")


def _by_score(config: QualityConfig, measures: Measures, origin: Provenance) -> Iterator[Note]:
    if config.min_quality_score is None:
        return
    found = score(measures, origin)
    if found.total < config.min_quality_score:
        parts = ", ".join(
            f"{name} {value:.2f}" for name, value in found._asdict().items() if name != "total"
        )
        yield Note("low_score", f"{found.total:.2f}: {parts}")
