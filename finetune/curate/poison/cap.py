"""The step `author_cap`: no author and no conversation owns the set."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from finetune.curate.ranking import NAME_BYTES, author_of, beyond, name_bytes, name_text, rank_of
from finetune.curate.step import Decision, Note, StepConfig
from finetune.dataset.sample import Sample

if TYPE_CHECKING:
    import numpy as np

__all__ = ["AuthorCapConfig"]


class AuthorCapConfig(StepConfig):
    """Keeps the best rated rows of an author, and of a conversation, up to a limit.

    Rows of an unknown author are not capped: they may be of many.
    """

    step_name: ClassVar[str] = "author_cap"
    is_corpus_step: ClassVar[bool] = True

    share: Annotated[float, Field(gt=0, le=1)] | None = 0.02
    """The largest share of the set that an author may have. It is raised to twice the share
    that each would have if all had the same, so that a set of few authors stays."""
    per_author: Annotated[int, Field(ge=1)] | None = None
    """Rows of an author, whatever the share."""
    per_session: Annotated[int, Field(ge=1)] | None = 20
    """Rows of a conversation."""

    def build(self) -> "_AuthorCap":
        """Return the step."""
        return _AuthorCap(self)


class _AuthorCap:
    def __init__(self, config: AuthorCapConfig) -> None:
        self._config = config

    def summarise(self, samples: Sequence[Sample]) -> "np.ndarray":
        import numpy as np

        kind = [("author", f"S{NAME_BYTES}"), ("session", f"S{NAME_BYTES}"), ("rank", np.float32)]
        found = np.zeros(len(samples), dtype=np.dtype(kind))
        origins = [sample.provenance for sample in samples]
        found["author"] = [name_bytes(author_of(origin)) for origin in origins]
        found["session"] = [name_bytes(origin.session_id) for origin in origins]
        found["rank"] = [rank_of(origin) for origin in origins]
        return found

    def decide(self, summaries: "np.ndarray") -> list[Decision]:
        import numpy as np

        left = np.arange(len(summaries))
        decisions: list[Decision] = []
        for code, field in (("session_cap", "session"), ("author_cap", "author")):
            rows = summaries[left]
            names, groups, counts = np.unique(rows[field], return_inverse=True, return_counts=True)
            known = names != b""
            limit = self._limit(field, len(rows), int(known.sum()))
            if limit is None:
                continue
            limits = np.where(known, limit, len(rows))
            over = beyond(groups, rows["rank"], limits)
            decisions += [
                Decision(
                    int(left[at]), Note(code, _told(field, names, counts, int(groups[at]), limit))
                )
                for at in over.tolist()
            ]
            left = np.delete(left, over)
        return sorted(decisions)

    def _limit(self, field: str, rows: int, groups: int) -> int | None:
        if field == "session":
            return self._config.per_session
        limits: list[int] = []
        if self._config.per_author is not None:
            limits.append(self._config.per_author)
        if self._config.share is not None and groups:
            limits.append(math.ceil(max(self._config.share * rows, 2 * rows / groups)))
        return min(limits) if limits else None


def _told(field: str, names: "np.ndarray", counts: "np.ndarray", group: int, limit: int) -> str:
    who = name_text(bytes(names[group]))
    return f"{field} {who} has {counts[group]:,} rows, the best {limit:,} stay"
