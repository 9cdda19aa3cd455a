"""How much of an answer declines to answer, in ten languages."""

import re
from collections.abc import Callable
from functools import lru_cache

from finetune.curate.search import Find, quick_find, quick_search

__all__ = ["find_refusals", "refusal_share"]

_HELP = (
    r"(?:help|assist|answer|provide|do that|do this|comply|fulfil+|support|discuss|share|give"
    r"|continue|respond|offer|engage|complete|process|access)"
)
_DECLINES = re.compile(
    "|".join(
        [
            r"\b(?:i|we)(?:'m| am|'re| are)? (?:really |very |currently |afraid |sorry,? |but "
            r"|that |i "
            r"|we ){0,6}(?:can't|cannot|can not|could not|couldn't|won't|will not|must decline"
            r"|am unable to|am not able to|unable to|not able to|not allowed to|not permitted to"
            rf"|decline to|refuse to|have to decline) (?:\w+ )?{_HELP}\b",
            r"\bi(?:'m| am) (?:really |very |so )?sorry,? but (?:i|that|this)\b[^.!?]{0,40}"
            r"\b(?:can't|cannot|unable|not able|not possible|won't|don't know)\b",
            r"\bi (?:don't|do not) (?:know|have (?:that|this|any|the|enough|access))\b",
            r"\b(?:as|being) an? (?:ai|artificial|language model|large language)\b",
            r"\bbeyond (?:my|the scope of my) (?:abilities|capabilities|knowledge|scope)\b",
            r"\bich kann (?:ihnen |dir |euch )?(?:dabei |damit |hier |das |dazu |diese \w+ |leider "
            r")*"
            r"(?:leider )?(?:nicht|keine?) ?(?:\w+ ){0,8}(?:helfen|beantworten|weiterhelfen|sagen"
            r"|geben"
            r"|unterstützen|auskunft)",
            r"\b(?:leider|entschuldigung)\b[^.!?]{0,40}\b(?:kann|darf|weiß) "
            r"ich\b[^.!?]{0,40}\b(?:nicht"
            r"|keine?)\b",
            r"\b(?:no puedo|lo siento)\b[^.!?]{0,40}\b(?:ayudar\w*|responder|puedo|proporcionar)\b",
            r"\bje (?:ne peux|suis désolée?)\b[^.!?]{0,40}\b(?:pas|peux)\b",
            r"\b(?:non posso|mi dispiace)\b[^.!?]{0,40}\b(?:aiutar\w*|rispondere|posso|fornire)\b",
            r"\b(?:não posso|lamento|desculpe)\b[^.!?]{0,40}\b(?:ajudar\w*|responder|posso"
            r"|fornecer)\b",
            r"\b(?:ik kan|het spijt me)\b[^.!?]{0,40}\b(?:niet|geen)\b[^.!?]{0,30}(?:helpen"
            r"|antwoord\w*|$)",
            r"\b(?:nie mogę|przykro mi)\b[^.!?]{0,40}\b(?:pomóc|odpowiedzieć|mogę|udzielić)\b",
            r"\bjag kan\b[^.!?]{0,20}\binte\b[^.!?]{0,30}\b(?:hjälpa|svara)\b",
            r"(?:申し訳|すみません)[^。]{0,40}(?:できません|お答え|分かりません)|お手伝いできません",
        ]
    )
)
_QUICK = (
    r"can't|cannot|can not|could|won't|will not|decline|unable|not (?:able|allowed|permitted)"
    r"|refuse|sorry|don't|do not|an? (?:ai|artificial|lang|large)|beyond|ich kann|leider|entschuld"
    r"|puedo|siento|je ne|je suis d|posso|dispiace|lamento|desculpe|ik kan|spijt|mogę|przykro"
    r"|jag kan|申し訳|すみません|お手伝い"
)
_SENTENCE = re.compile(r"[^.!?。\n]+[.!?。\n]*")
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u02bc": "'"})


def refusal_share(answer: str) -> float:
    """Return how much of an answer, by characters of its sentences, declines: 0 to 1."""
    text = answer.lower()
    if not text.isascii():
        text = text.translate(_APOSTROPHES)
    if not _is_worth_a_look()(text):
        return 0.0
    declined = total = 0
    for sentence in _SENTENCE.findall(text):
        size = len(sentence.strip())
        total += size
        if _DECLINES.search(sentence):
            declined += size
    return declined / total if total else 0.0


@lru_cache(maxsize=1)
def find_refusals() -> Find | None:
    """Return what finds, in lower case, the words of which each refusal has some."""
    return quick_find(_QUICK)


@lru_cache(maxsize=1)
def _is_worth_a_look() -> Callable[[str], bool]:
    return quick_search(_QUICK)
