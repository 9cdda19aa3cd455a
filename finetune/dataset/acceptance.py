"""Rules that accept or reject candidates, read from YAML.

```yaml
rules:
  - {name: bad, then: reject, when: {max_rating: 2, corrected: false}}
  - {name: praised, then: accept, when: {min_rating: 4, agent_name: seller}}
```

The first rule that fits decides; what no rule fits goes on waiting for a person.
"""

import time
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from finetune.dataset.candidates import Candidate, Candidates, CandidateState
from swarm.errors import DataError

__all__ = ["AcceptanceRule", "AcceptanceRules", "Conditions", "apply_rules"]

_DAY = 86_400.0


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Conditions(_Record):
    """What must hold; all of it."""

    min_rating: Annotated[int, Field(ge=1, le=5)] | None = None
    """Rated, and at least so."""
    max_rating: Annotated[int, Field(ge=1, le=5)] | None = None
    """Rated, and at most so."""
    corrected: bool | None = None
    """Whether a person wrote the answer."""
    agent_name: str | None = None
    project: str | None = None
    """The project; `""` stands for none."""
    status: Literal["answered", "failed", "timeout", "cancelled"] | None = None
    older_than_days: Annotated[float, Field(ge=0)] | None = None
    """Said longer ago than that; rows that do not say when do not fit."""
    newer_than_days: Annotated[float, Field(ge=0)] | None = None
    """Said no longer ago than that."""

    @model_validator(mode="after")
    def _says_something(self) -> "Conditions":
        if not self.model_fields_set:
            raise ValueError("a rule without a condition would decide about everything")
        return self

    def fit(self, candidate: Candidate, now: float) -> bool:
        """Return whether all of it holds.

        Args:
            candidate: The row.
            now: The time in seconds since 1970.
        """
        origin = candidate.sample.provenance
        age = None if origin.at is None else (now - origin.at) / _DAY
        rating = origin.rating
        return all(
            (
                self.min_rating is None or (rating is not None and rating >= self.min_rating),
                self.max_rating is None or (rating is not None and rating <= self.max_rating),
                self.corrected is None or self.corrected == bool(origin.is_corrected),
                self.agent_name is None or self.agent_name == origin.agent_name,
                self.project is None or self.project == (origin.project or ""),
                self.status is None or self.status == origin.status,
                self.older_than_days is None or (age is not None and age > self.older_than_days),
                self.newer_than_days is None or (age is not None and age <= self.newer_than_days),
            )
        )


class AcceptanceRule(_Record):
    """One rule."""

    name: Annotated[str, Field(pattern=r"^[\w-]{1,64}$")]
    then: Literal["accept", "reject"]
    when: Conditions
    reason: str | None = None


class AcceptanceRules(_Record):
    """Rules in their order."""

    rules: tuple[AcceptanceRule, ...]

    @classmethod
    def read(cls, path: Path | str) -> "AcceptanceRules":
        """Return the rules of a YAML file.

        Raises:
            DataError: The file cannot be read or says something else; names the place in it.
        """
        try:
            value = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise DataError(f"{path}: {error.strerror or error}") from None
        except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            line = f":{mark.line + 1}" if mark is not None else ""
            raise DataError(f"{path}{line}: this is not YAML") from None
        try:
            return cls.model_validate(value)
        except ValidationError as wrong:
            detail = wrong.errors(include_url=False)[0]
            place = ".".join(str(part) for part in detail["loc"])
            raise DataError(f"{path}: {place or 'rules'}: {detail['msg']}") from None

    def decide(self, candidate: Candidate, now: float) -> AcceptanceRule | None:
        """Return the first rule that fits."""
        return next((rule for rule in self.rules if rule.when.fit(candidate, now)), None)


async def apply_rules(
    candidates: Candidates,
    rules: AcceptanceRules,
    *,
    project: str | None = None,
    now: float | None = None,
) -> dict[str, int]:
    """Let rules decide about all rows that wait; what people decided stays.

    Args:
        candidates: The candidates.
        rules: The rules.
        project: Only rows of this project.
        now: The time that ages count from; the present when absent.

    Returns:
        How many rows each rule decided about, by its name.

    Raises:
        StoreError: The database failed.
    """
    at = time.time() if now is None else now
    decided: dict[AcceptanceRule, dict[str, CandidateState]] = {}
    for candidate in await candidates.list(state="candidate", project=project):
        rule = rules.decide(candidate, at)
        if rule is not None:
            state: CandidateState = "accepted" if rule.then == "accept" else "rejected"
            decided.setdefault(rule, {})[candidate.id] = state
    counts: dict[str, int] = {}
    for rule, states in decided.items():
        by = f"rule:{rule.name}"
        found = await candidates.decide(states, by=by, reason=rule.reason, if_waiting=True)
        counts[rule.name] = counts.get(rule.name, 0) + found
    return counts
