"""Is an answer the expected one: character by character, after normalisation, or by its words.

Pure functions without a model, so that answers of a served GGUF, a hosted model or a person are
scored in the same way as the answers of a training run.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

__all__ = [
    "MatchScore",
    "exact_match",
    "normalise_answer",
    "normalised_match",
    "score_matches",
    "token_f1",
]

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


class MatchScore(NamedTuple):
    """How many answers were the expected ones."""

    rows: int
    exact: int

    @property
    def accuracy(self) -> float:
        """Share of exact answers; 0 without rows."""
        return self.exact / self.rows if self.rows else 0.0


def exact_match(expected: str, answer: str) -> bool:
    """Tell whether two answers are equal once runs of white space are one space."""
    return expected.split() == answer.split()


def normalise_answer(text: str) -> str:
    """Return a text without case, punctuation, English articles and extra white space.

    Points and commas inside numbers stay, since 7.90 and 790 are different prices.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(
        character if _is_kept(folded, at) else " " if character in "-/_" else ""
        for at, character in enumerate(folded)
    )
    # An answer that is the letter A and nothing else is no article.
    return " ".join(_ARTICLES.sub(" ", kept).split() or kept.split())


def normalised_match(expected: str, answer: str) -> bool:
    """Tell whether two answers are equal once both are normalised."""
    return normalise_answer(expected) == normalise_answer(answer)


def token_f1(expected: str, answer: str) -> float:
    """Return the harmonic mean of how many words of each text the other one has, 0 to 1.

    Both are normalised first; the order of words does not count. Two empty texts agree.
    """
    wanted, given = normalise_answer(expected).split(), normalise_answer(answer).split()
    if not wanted or not given:
        return float(wanted == given)
    common = (Counter(wanted) & Counter(given)).total()
    return 2 * common / (len(wanted) + len(given))


def score_matches(pairs: Iterable[tuple[str, str]]) -> MatchScore:
    """Return the score of (expected, answer) pairs."""
    matches = [exact_match(expected, answer) for expected, answer in pairs]
    return MatchScore(len(matches), sum(matches))


def _is_kept(text: str, at: int) -> bool:
    character = text[at]
    if character in ".,":
        return text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit()
    # Signs such as % or + and currencies (S*) carry meaning; punctuation and controls do not.
    return character.isspace() or unicodedata.category(character)[0] in "LMNS"
