"""Which language a text is in, by py3langid, which brings its model along."""

from typing import TYPE_CHECKING, Any

from swarm.errors import require

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Languages"]

_LETTERS = 400
_SHORTEST = 20
_SURE = 0.7
# Words that are frequent in one language and are no words of the others here.
_STOP_WORDS = {
    "en": (
        "the and you is of to it that for with this your have not are will can we if please our was"
    ),
    "de": (
        "der die das und ist nicht sie ich ein eine mit auf zu den wir ihr können bitte auch wird"
    ),
    "fr": (
        "le les des et est vous nous une pas pour dans que sur avec votre votre je ce cette sont"
    ),
    "es": ("el los las y es usted una que por para con su está puede como del al pero más muy"),
    "it": ("il lo gli che è di per con una sono del della può non anche questo si ha nel alla"),
    "pt": "os as não uma você para com que é do da em seu pode está por mais ao na dos",
    "nl": "het een en van niet je u is dat op met voor zijn wij kunt ook maar uw deze aan",
}
_SETS = {language: frozenset(words.split()) for language, words in _STOP_WORDS.items()}


class Languages:
    """Tells languages apart."""

    def __init__(self, wanted: "Iterable[str]" = ()) -> None:
        """Load the model.

        Args:
            wanted: ISO 639-1 codes, for `is_other`.

        Raises:
            MissingExtraError: py3langid is missing.
            ValueError: A code is none that it knows.
        """
        untyped: Any = require("py3langid", extra="data")
        # One of its own: the module's is shared, and others may narrow it.
        self._model: Any = untyped.langid.LanguageIdentifier.from_model_file(
            untyped.langid.MODEL_FILE, norm_probs=True
        )
        self._wanted = frozenset(wanted)
        if unknown := sorted(self._wanted.difference(self._model.labels)):
            raise ValueError(f"unknown language codes: {', '.join(unknown)}")
        self._usual = frozenset[str]().union(*(_SETS.get(code, ()) for code in self._wanted))
        others = frozenset[str]().union(*_SETS.values())
        self._foreign = others - self._usual

    def of(self, text: str) -> str | None:
        """Return the ISO 639-1 code of a text's language, or None where it is too short to tell."""
        part = text[:_LETTERS]
        if sum(map(str.isalpha, part)) < _SHORTEST:
            return None
        language, confidence = self._model.classify(part)
        return language if confidence >= _SURE else None

    def is_other(self, text: str) -> bool:
        """Tell whether a text is surely in none of the wanted languages."""
        words = text[:_LETTERS].lower().split()
        usual = sum(word in self._usual for word in words)
        # The usual small words settle most texts, ten times as fast as the model.
        if usual >= 4 and usual >= 0.15 * len(words):
            return False
        language = self.of(text)
        return language is not None and language not in self._wanted
