"""Porter's stemmer, with the additions that NLTK's stemmer has and ROUGE's figures rest on.

English only: words that end differently but mean the same, such as `costs` and `costing`, become
one stem, which need not be a word.
"""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

__all__ = ["stem"]

_WHOLE = {
    "skies": "sky",
    "sky": "sky",
    "dying": "die",
    "lying": "lie",
    "tying": "tie",
    "news": "news",
    "innings": "inning",
    "inning": "inning",
    "outings": "outing",
    "outing": "outing",
    "cannings": "canning",
    "canning": "canning",
    "howe": "howe",
    "proceed": "proceed",
    "exceed": "exceed",
    "succeed": "succeed",
}
"""Words that no rule gets right."""
_TURNS = re.compile("v+c+")


def stem(word: str) -> str:
    """Return the stem of a word in lower case."""
    if word in _WHOLE:
        return _WHOLE[word]
    if len(word) <= 2:
        return word
    for step in (_plural, _past, _final_y, _double_ending, _third, _fourth, _final_e):
        word = step(word)
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word


class _Rule(NamedTuple):
    ending: str
    becomes: str
    holds: Callable[[str], bool]
    """Asked of what stands before the ending."""


def _kinds(word: str) -> str:
    """Return `c` for each consonant and `v` for each vowel; y is a vowel after a consonant."""
    kinds = ""
    for letter in word:
        is_vowel = letter in "aeiou" or (letter == "y" and kinds[-1:] == "c")
        kinds += "v" if is_vowel else "c"
    return kinds


def _measure(word: str) -> int:
    """Return how often vowels are followed by consonants, about the number of syllables."""
    return len(_TURNS.findall(_kinds(word)))


def _more_than_none(word: str) -> bool:
    return _measure(word) > 0


def _more_than_one(word: str) -> bool:
    return _measure(word) > 1


def _is_short(word: str) -> bool:
    """Tell whether a word ends like `hop`, which wants its e back (`hoping`)."""
    kinds = _kinds(word)
    return kinds == "vc" or (kinds.endswith("cvc") and word[-1] not in "wxy")


def _apply(word: str, rules: Iterable[_Rule]) -> str:
    """Apply the first rule whose ending fits; when its condition fails, nothing changes."""
    for ending, becomes, holds in rules:
        if word.endswith(ending):
            rest = word[: len(word) - len(ending)]
            return rest + becomes if holds(rest) else word
    return word


def _is_long_before_ogi(rest: str) -> bool:
    return _measure(rest + "l") > 0


def _takes_ion(rest: str) -> bool:
    return _measure(rest) > 1 and rest[-1] in "st"


def _rules(holds: Callable[[str], bool], **endings: str) -> tuple[_Rule, ...]:
    """Return rules with one condition: ending=what it becomes."""
    return tuple(_Rule(ending, becomes, holds) for ending, becomes in endings.items())


def _plural(word: str) -> str:
    if word.endswith("ies"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _past(word: str) -> str:
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    for ending in ("ed", "ing"):
        rest = word.removesuffix(ending)
        if rest != word and "v" in _kinds(rest):
            break
    else:
        return word
    if rest.endswith(("at", "bl", "iz")):
        return rest + "e"
    if rest[-2:] == rest[-1] * 2 and _kinds(rest)[-1] == "c":
        return rest if rest[-1] in "lsz" else rest[:-1]
    return rest + "e" if _measure(rest) == 1 and _is_short(rest) else rest


def _final_y(word: str) -> str:
    rest = word.removesuffix("y")
    return rest + "i" if rest != word and len(rest) > 1 and _kinds(rest)[-1] == "c" else word


_SECOND = (
    *_rules(
        _more_than_none,
        ational="ate",
        tional="tion",
        enci="ence",
        anci="ance",
        izer="ize",
        bli="ble",
        alli="al",
        entli="ent",
        eli="e",
        ousli="ous",
        ization="ize",
        ation="ate",
        ator="ate",
        alism="al",
        iveness="ive",
        fulness="ful",
        ousness="ous",
        aliti="al",
        iviti="ive",
        biliti="ble",
        fulli="ful",
    ),
    _Rule("logi", "log", _is_long_before_ogi),
)
_THIRD = _rules(
    _more_than_none,
    icate="ic",
    ative="",
    alize="al",
    iciti="ic",
    ical="ic",
    ful="",
    ness="",
)
_FOURTH = (
    *(
        _Rule(ending, "", _more_than_one)
        for ending in ("al", "ance", "ence", "er", "ic", "able", "ible", "ant")
    ),
    # The longer ending comes first: the first one that fits decides.
    *(_Rule(ending, "", _more_than_one) for ending in ("ement", "ment", "ent")),
    _Rule("ion", "", _takes_ion),
    *(
        _Rule(ending, "", _more_than_one)
        for ending in ("ou", "ism", "ate", "iti", "ous", "ive", "ize")
    ),
)


def _double_ending(word: str) -> str:
    if word.endswith("alli") and _measure(word[:-4]) > 0:
        return _double_ending(word[:-2])
    return _apply(word, _SECOND)


def _third(word: str) -> str:
    return _apply(word, _THIRD)


def _fourth(word: str) -> str:
    return _apply(word, _FOURTH)


def _final_e(word: str) -> str:
    rest = word.removesuffix("e")
    if rest == word:
        return word
    measure = _measure(rest)
    return rest if measure > 1 or (measure == 1 and not _is_short(rest)) else word
