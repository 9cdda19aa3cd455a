"""Personal data in training rows: found by form, check digits and context, and replaced.

No model of a language is needed: what has a form is found by it in twelve countries' writings
(US, GB, DE, FR, ES, IT, NL, BR, IN, SE, PL, JP). Names count only where somebody gives them as
their own; `PresidioPersonalData` adds a recogniser of names.
"""

from finetune.curate.personal.find import find_personal_data
from finetune.curate.personal.hit import KINDS, Hit, Kind
from finetune.curate.personal.presidio import PresidioPersonalData, PresidioStep
from finetune.curate.personal.redact import Mode, redact
from finetune.curate.personal.step import PersonalData

__all__ = [
    "KINDS",
    "Hit",
    "Kind",
    "Mode",
    "PersonalData",
    "PresidioPersonalData",
    "PresidioStep",
    "find_personal_data",
    "redact",
]
