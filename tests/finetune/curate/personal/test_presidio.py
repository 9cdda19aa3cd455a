"""What Presidio finds becomes our kinds; without it the step says what to install."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from finetune.curate.personal import PresidioPersonalData, PresidioStep
from finetune.dataset import AssistantMessage, SftRow, UserMessage
from finetune.dataset.sample import Sample
from finetune.dataset.texts import texts_of
from swarm.errors import MissingExtraError, SetupError


@dataclass
class Found:
    """The four attributes of Presidio's results."""

    entity_type: str
    start: int
    end: int
    score: float


class Lookup:
    """An analyzer that knows some names, with the interface of Presidio's engine."""

    def __init__(self, names: dict[str, tuple[str, float]]) -> None:
        self.names = names
        self.languages: set[str] = set()

    def analyze(
        self, text: str, language: str, *, entities: list[str], score_threshold: float
    ) -> Sequence[Found]:
        """Return where the names stand, of the entities asked for."""
        self.languages.add(language)
        return [
            Found(entity, text.index(name), text.index(name) + len(name), score)
            for name, (entity, score) in self.names.items()
            if name in text and entity in entities and score >= score_threshold
        ]


ROW = SftRow(
    messages=(
        UserMessage(content="Ann Lee lives in Paris."),
        AssistantMessage(content="Does ann lee like Rome?"),
    )
)


def test_entities_become_kinds_and_spread_over_the_row() -> None:
    names = {"Ann Lee": ("PERSON", 0.85), "Paris": ("LOCATION", 0.85), "Rome": ("LOCATION", 0.3)}
    analyzer = Lookup(names)
    verdict = PresidioStep(PresidioPersonalData(language="fr"), analyzer).judge(Sample(ROW))
    assert verdict.sample is not None
    assert [text.text for text in texts_of(verdict.sample.row)] == [
        "[PERSON] lives in [LOCATION].",
        "Does [PERSON] like Rome?",
    ]
    assert [note.code for note in verdict.notes] == ["redacted_location", "redacted_person"]
    assert analyzer.languages == {"fr"}


def test_only_the_entities_of_the_settings_are_asked_for() -> None:
    config = PresidioPersonalData(entities=("IBAN_CODE", "NRP"), mode="drop")
    step = PresidioStep(config, Lookup({"Ann Lee": ("PERSON", 1.0)}))
    assert step.judge(Sample(ROW)).sample is not None
    step = PresidioStep(config, Lookup({"Ann Lee": ("NRP", 1.0)}))
    assert [note.code for note in step.judge(Sample(ROW)).notes] == ["found_person"]


def test_the_step_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "presidio_analyzer", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'wikiswarm\[presidio\]'") as caught:
        PresidioPersonalData().build()
    assert isinstance(caught.value, SetupError)
