"""Conversations with known duplicates, for the tests and the benchmark of finding them.

A family is one conversation, copies of it with small edits, and hard negatives: the same
sentences about another product, with another number, another date or the opposite advice, which
may have copies of their own. Everything depends on the seed alone.
"""

import random
from collections.abc import Callable
from typing import NamedTuple

from finetune.dataset.rows import AssistantMessage, SftRow, SystemMessage, UserMessage
from finetune.dataset.sample import Provenance, Sample

__all__ = ["EDITS", "NEGATIVES", "PARAPHRASES", "Labelled", "generate", "paraphrases"]


def _split(text: str) -> list[str]:
    return text.split("|")


_ONSETS = _split("b|br|c|cl|d|dr|f|fl|g|gr|h|j|k|l|m|n|p|pl|r|s|st|t|tr|v|z")
_NUCLEI = _split("a|e|i|o|u|ai|ea|io|ou")
_CODAS = _split("l|m|n|r|s|x|th|mund|rem|vex|dol")
_PEOPLE = _split(
    "Anna|Bruno|Carla|David|Elena|Farid|Greta|Hanna|Igor|Julia|Karim|Laura|Miguel|Nadia"
)
_DAYS = _split("Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday")
_MONTHS = _split("January|February|March|April|May|June|July|August|September|October")
_CITIES = _split("Lisbon|Porto|Vienna|Graz|Turin|Naples|Lyon|Nantes|Bergen|Tampere|Gdansk|Malmo")
_FORMS = _split("tablet|capsule|syrup|ointment|spray|patch|powder|lotion")
_TROUBLES = _split(
    "a dry cough|a stiff neck|a runny nose|an upset stomach|sore feet|itchy skin|poor sleep|"
    "a mild fever|tired eyes|a sunburn|heartburn|a headache|muscle cramps|travel sickness"
)
_PLACES = _split("the drawer|the fridge|a dry cupboard|the car|a bathroom shelf|the office")
_FOODS = _split("coffee|milk|grapefruit|alcohol|cheese|bread|black tea|spicy meals")

_QUESTIONS = (
    "What does {product} cost, and is it still on the shelf?",
    "My neighbour in {city} swears by {product} against {trouble}.",
    "Can you tell me how often the {form} has to be taken?",
    "Since {day} I have had {trouble} and nothing has helped so far.",
    "Would the {form} work for {trouble} as well?",
    "I keep {product} in {place}; is that a problem?",
    "Does {product} go together with {food}?",
    "The leaflet mentions {food}, but I do not understand why.",
    "I ordered {product} on {day} and the parcel went to {city}.",
    "How long may an open package stay in {place}?",
    "My daughter is {number} years old and has {trouble}.",
    "Is there a cheaper {form} with the same substance?",
)
_ANSWERS = (
    "{product} costs {price} euros for a box of {number}.",
    "Take one {form} every {hours} hours and drink a glass of water with it.",
    "Against {trouble} most people feel better after {number} days.",
    "You should keep {product} in {place}, away from children.",
    "Your doctor in {city} can check whether {product} suits you.",
    "Please avoid {food} while you use {product}.",
    "The parcel leaves {city} on {day} before noon.",
    "An open package lasts until {day}, {number} {month}.",
    "If {trouble} comes back, call us or come to the counter in {city}.",
    "The {form} of {product} contains {dose} mg of the substance.",
    "We have {number} boxes of {product} left in {city}.",
    "It is fine to combine {product} with {food} in small amounts.",
    "For {trouble} we also sell a {form} that works faster.",
    "Shake the bottle well and leave it out of {place}.",
    "The receipt from {month} is enough to change the {form}.",
    "Nobody has reported problems with {food} since {month}.",
)
_POLITE = (
    "Thank you very much in advance!",
    "Sorry to bother you.",
    "I hope you are well.",
    "Have a nice day!",
    "Many thanks for your help.",
    "It would be very kind of you.",
)
_GREETINGS = ("Hello {name}, ", "Dear {name}, ", "Hi {name}! ")


class Labelled(NamedTuple):
    """Samples with what is a duplicate of what."""

    samples: list[Sample]
    clusters: list[int]
    """Samples of one number are duplicates of each other."""
    families: list[int]
    """Samples of one number share sentences."""
    edits: list[str]
    """What was done to each: `base`, the name of an edit, or of a negative."""


class _Story(NamedTuple):
    """A conversation before it is written down: sentences of each turn, and their facts."""

    turns: tuple[tuple[str, ...], ...]
    facts: dict[str, str]
    name: str | None

    def texts(self) -> list[list[str]]:
        turns = [[sentence.format(**self.facts) for sentence in turn] for turn in self.turns]
        if self.name is not None:
            turns[1][0] = _GREETINGS[len(self.name) % 3].format(name=self.name) + turns[1][0]
        return turns


def generate(seed: int, families: int = 100) -> Labelled:
    """Return families of conversations, shuffled.

    Args:
        seed: The same seed gives the same samples.
        families: How many; each has about eight samples.
    """
    rng = random.Random(seed)
    found: list[tuple[Sample, int, int, str]] = []
    cluster = 0
    for family in range(families):
        story = _story(rng)
        variants = [("base", story)]
        variants += [
            (name, NEGATIVES[name](story, rng)) for name in rng.sample(sorted(NEGATIVES), 3)
        ]
        for kind, variant in variants:
            texts = variant.texts()
            found.append((_sample(texts), cluster, family, kind))
            for edit in rng.sample(sorted(EDITS), rng.randint(1, 3) if kind == "base" else 1):
                edited = EDITS[edit](variant, rng)
                found.append((_sample(edited), cluster, family, edit))
            cluster += 1
    rng.shuffle(found)
    samples, clusters, numbers, edits = (list(column) for column in zip(*found, strict=True))
    placed = [s._replace(provenance=Provenance(line=n)) for n, s in enumerate(samples, start=1)]
    return Labelled(placed, clusters, numbers, edits)


def _story(rng: random.Random) -> _Story:
    facts = {
        "product": _product(rng),
        "city": rng.choice(_CITIES),
        "day": rng.choice(_DAYS),
        "month": rng.choice(_MONTHS),
        "form": rng.choice(_FORMS),
        "trouble": rng.choice(_TROUBLES),
        "place": rng.choice(_PLACES),
        "food": rng.choice(_FOODS),
        "number": str(rng.randint(2, 60)),
        "hours": str(rng.randint(2, 12)),
        "dose": str(rng.choice([5, 10, 20, 50, 75, 150, 250, 400])),
        "price": f"{rng.randint(2, 80)}.{rng.randint(10, 99)}",
    }
    questions = rng.sample(_QUESTIONS, rng.randint(3, 6))
    answers = rng.sample(_ANSWERS[1:], rng.randint(5, 12))
    # What a negative changes is always there to be changed.
    advice = (_ANSWERS[0], "You should take {product} on {day}.", *answers[:3])
    turns = (tuple(questions[:2]), advice, tuple(questions[2:]), tuple(answers[3:]))
    return _Story(turns, facts, rng.choice(_PEOPLE) if rng.random() < 0.5 else None)


def _product(rng: random.Random) -> str:
    syllables = (rng.choice(_ONSETS) + rng.choice(_NUCLEI) for _ in range(2))
    return ("".join(syllables) + rng.choice(_CODAS)).capitalize()


def _sample(turns: list[list[str]]) -> Sample:
    system = SystemMessage(content="You work in a pharmacy. Be short and friendly.")
    said = [" ".join(turn) for turn in turns]
    messages = [
        UserMessage(content=text) if at % 2 == 0 else AssistantMessage(content=text)
        for at, text in enumerate(said)
    ]
    return Sample(SftRow(messages=(system, *messages)))


def _with_fact(story: _Story, key: str, value: str) -> _Story:
    return story._replace(facts={**story.facts, key: value})


def _other_product(story: _Story, rng: random.Random) -> _Story:
    return _with_fact(story, "product", _product(rng))


def _other_price(story: _Story, rng: random.Random) -> _Story:
    euros, cents = story.facts["price"].split(".")
    return _with_fact(story, "price", f"{int(euros) + rng.randint(1, 9)}.{cents}")


def _other_day(story: _Story, rng: random.Random) -> _Story:
    return _with_fact(story, "day", rng.choice([d for d in _DAYS if d != story.facts["day"]]))


def _opposite(story: _Story, rng: random.Random) -> _Story:
    first, advice, *rest = story.turns[1]
    advice = advice.replace("should take", "should not take")
    return story._replace(turns=(story.turns[0], (first, advice, *rest), *story.turns[2:]))


NEGATIVES: dict[str, Callable[[_Story, random.Random], _Story]] = {
    "other_day": _other_day,
    "other_price": _other_price,
    "other_product": _other_product,
    "opposite": _opposite,
}
"""What makes another conversation out of one, with nearly the same words."""


def _typos(story: _Story, rng: random.Random) -> list[list[str]]:
    turns = story.texts()
    for _ in range(rng.randint(1, 3)):
        turn = rng.choice(turns)
        at = rng.randrange(len(turn))
        words = turn[at].split(" ")
        long = [n for n, word in enumerate(words) if len(word) > 4 and word.isalpha()]
        if long:
            place = rng.choice(long)
            words[place] = _mistyped(words[place], rng)
            turn[at] = " ".join(words)
    return turns


def _mistyped(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    before, char, after = word[:at], word[at], word[at + 1 :]
    match rng.randrange(4):
        case 0:
            return before + after
        case 1:
            return before + char + char + after
        case 2:
            return before + after[0] + char + after[1:]
        case _:
            return before + rng.choice("abcdefghijklmnoprstuvwyz") + after


def _reordered(story: _Story, rng: random.Random) -> list[list[str]]:
    turns = story.texts()
    rng.shuffle(turns[3])
    return turns


def _cased(story: _Story, rng: random.Random) -> list[list[str]]:
    change = rng.choice([str.lower, str.upper])
    return [[change(sentence) for sentence in turn] for turn in story.texts()]


def _polite(story: _Story, rng: random.Random) -> list[list[str]]:
    turns = story.texts()
    turns[0].append(rng.choice(_POLITE))
    turns[3].append(rng.choice(_POLITE))
    return turns


def _punctuated(story: _Story, rng: random.Random) -> list[list[str]]:
    swaps = {".": rng.choice(["!", " .", "..."]), ",": rng.choice(["", ";", " -"])}
    return [
        [
            "".join(
                swaps.get(char, char) if after in " \n" else char
                for char, after in zip(sentence, sentence[1:] + "\n", strict=True)
            )
            for sentence in turn
        ]
        for turn in story.texts()
    ]


def _renamed(story: _Story, rng: random.Random) -> list[list[str]]:
    return story._replace(name=rng.choice([n for n in _PEOPLE if n != story.name])).texts()


EDITS: dict[str, Callable[[_Story, random.Random], list[list[str]]]] = {
    "case": _cased,
    "name": _renamed,
    "polite": _polite,
    "punctuation": _punctuated,
    "reordered": _reordered,
    "typos": _typos,
}
"""What a copy may differ in."""

PARAPHRASES: tuple[tuple[str, ...], ...] = (
    (
        "How much does {product} cost?",
        "What is the price of {product}?",
        "What does {product} cost?",
    ),
    (
        "Can I take {product} with {food}?",
        "Is it okay to take {product} together with {food}?",
        "May {product} be taken with {food}?",
    ),
    (
        "Where is your shop in {city}?",
        "What is the address of your store in {city}?",
        "In {city}, where can I find your shop?",
    ),
    (
        "When does the parcel to {city} arrive?",
        "When will my package reach {city}?",
        "At what time is the delivery in {city}?",
    ),
    (
        "How should I store {product}?",
        "What is the right way to keep {product}?",
        "Where do I have to store {product}?",
    ),
    (
        "What helps against {trouble}?",
        "What can I do about {trouble}?",
        "Which medicine helps with {trouble}?",
    ),
)
"""Questions that mean the same; other rows of the list do not."""


def paraphrases(seed: int, families: int = 60) -> Labelled:
    """Return short questions with their rewordings, and the same about something else.

    Args:
        seed: The same seed gives the same samples.
        families: How many; each has six samples in two clusters.
    """
    rng = random.Random(seed)
    rows: list[tuple[Sample, int, int, str]] = []
    for family in range(families):
        wordings = PARAPHRASES[family % len(PARAPHRASES)]
        answers = rng.sample(_ANSWERS, 2)
        for side in range(2):
            facts = _story(rng).facts
            answer = " ".join(answers).format(**facts)
            for at, wording in enumerate(wordings):
                messages = (
                    UserMessage(content=wording.format(**facts)),
                    AssistantMessage(content=answer),
                )
                kind = "paraphrase" if at else "base"
                rows.append((Sample(SftRow(messages=messages)), 2 * family + side, family, kind))
    samples, clusters, numbers, edits = (list(column) for column in zip(*rows, strict=True))
    return Labelled(samples, clusters, numbers, edits)
