"""Personal data that Microsoft Presidio finds: names and places above all, by a language model.

It is many times slower than our own recognisers and needs a model of the language installed, so
it is a step of its own, to run after `personal_data`.
"""

import importlib
from collections.abc import Sequence
from typing import ClassVar, Protocol

from pydantic import Field

from finetune.curate.personal.find import Search
from finetune.curate.personal.hit import Hit, Kind, merged
from finetune.curate.personal.redact import Mode, redact_row
from finetune.curate.personal.step import verdict
from finetune.curate.step import RowStep, StepConfig, Verdict
from finetune.dataset.sample import Sample
from swarm.errors import MissingExtraError

__all__ = ["Analyzer", "Entity", "PresidioPersonalData", "PresidioStep"]

_KINDS: dict[str, Kind] = {
    "PERSON": "person",
    "LOCATION": "location",
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "US_SSN": "us_ssn",
    "CREDIT_CARD": "payment_card",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip_address",
    "MAC_ADDRESS": "mac_address",
    "US_PASSPORT": "passport",
    "UK_PASSPORT": "passport",
    "IN_PASSPORT": "passport",
    "IT_PASSPORT": "passport",
    "US_DRIVER_LICENSE": "driving_licence",
    "IT_DRIVER_LICENSE": "driving_licence",
    "US_BANK_NUMBER": "bank_account",
    "CRYPTO": "crypto_address",
    "IN_VEHICLE_REGISTRATION": "vehicle_plate",
    "US_ITIN": "national_id",
    "UK_NHS": "national_id",
    "UK_NINO": "national_id",
    "ES_NIF": "national_id",
    "ES_NIE": "national_id",
    "IT_FISCAL_CODE": "national_id",
    "IT_IDENTITY_CARD": "national_id",
    "PL_PESEL": "national_id",
    "IN_AADHAAR": "national_id",
    "IN_PAN": "national_id",
}


class Entity(Protocol):
    """What an analyzer finds; Presidio's `RecognizerResult`."""

    entity_type: str
    start: int
    end: int
    score: float


class Analyzer(Protocol):
    """What analyses a text; Presidio's `AnalyzerEngine`."""

    def analyze(
        self, text: str, language: str, *, entities: list[str], score_threshold: float
    ) -> Sequence[Entity]:
        """Return the entities of a text whose score reaches the threshold."""
        ...


class PresidioPersonalData(StepConfig):
    """Finds names and places with Presidio, which must be installed with a language model."""

    step_name: ClassVar[str] = "personal_data_presidio"

    mode: Mode = "redact"
    """What becomes of it; `drop` removes the row."""
    language: str = "en"
    """The language of the rows, as two letters."""
    entities: tuple[str, ...] = Field(default=("PERSON", "LOCATION"), min_length=1)
    """Presidio's names of the entities to look for."""
    min_score: float = Field(default=0.6, ge=0, le=1)
    """How sure it has to be, from 0 to 1."""

    def build(self) -> RowStep:
        """Return the step.

        Raises:
            MissingExtraError: Presidio is not installed.
        """
        try:
            engine = importlib.import_module("presidio_analyzer").AnalyzerEngine
        except ImportError:
            raise MissingExtraError("presidio-analyzer", "presidio") from None
        analyzer: Analyzer = engine(supported_languages=[self.language])
        return PresidioStep(self, analyzer)


class PresidioStep:
    """Redacts what an analyzer finds.

    Args:
        config: The settings.
        analyzer: The analyzer, made once: it loads its model when it is made.
    """

    def __init__(self, config: PresidioPersonalData, analyzer: Analyzer) -> None:
        self._config = config
        self._analyzer = analyzer

    def judge(self, sample: Sample) -> Verdict:
        """Return the sample without what the analyzer found, or nothing in the mode `drop`."""
        mode = self._config.mode
        return verdict(sample, redact_row(sample.row, mode, self._find), mode)

    def _find(self, text: str) -> Search:
        config = self._config
        entities = self._analyzer.analyze(
            text,
            config.language,
            entities=list(config.entities),
            score_threshold=config.min_score,
        )
        # An entity that we have no name for is personal all the same.
        hits = [Hit(_KINDS.get(e.entity_type, "person"), e.start, e.end) for e in entities]
        return Search(merged(hits), unsure=False)
