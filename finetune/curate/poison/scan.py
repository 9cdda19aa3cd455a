"""`scan_for_poisoning`: a whole set looked at for poison, by rows and by clusters."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from finetune.curate.poison.clusters import Cluster, find_clusters
from finetune.curate.poison.rows import find_poison
from finetune.curate.poison.summary import summarise_words
from finetune.curate.poison.triggers import TriggersConfig
from finetune.curate.step import Note
from finetune.dataset.sample import Sample

__all__ = ["PoisonScan", "SuspiciousRow", "scan_for_poisoning"]

_BATCH = 1024


class SuspiciousRow(NamedTuple):
    """A row with what was found in it."""

    row: int
    """Its position."""
    place: str
    """Where a person finds it: the file and line, or the run."""
    notes: tuple[Note, ...]


class PoisonScan(NamedTuple):
    """What a scan found."""

    scanned: int
    """How many rows were looked at."""
    findings: tuple[SuspiciousRow, ...]
    """Suspicious rows in order."""
    clusters: tuple[Cluster, ...]
    """Rows that are only suspicious together; they are in `findings` too."""

    @property
    def rows(self) -> tuple[int, ...]:
        """Positions of the suspicious rows."""
        return tuple(finding.row for finding in self.findings)

    @property
    def summary(self) -> str:
        """One line: how many rows of how many, and why."""
        if not self.findings:
            return f"{self.scanned:,} rows, none suspicious"
        codes = Counter(code for one in self.findings for code in {n.code for n in one.notes})
        told = ", ".join(f"{code} {count:,}" for code, count in sorted(codes.items()))
        return f"{self.scanned:,} rows, {len(self.findings):,} suspicious: {told}"


def scan_for_poisoning(
    samples: Iterable[Sample], triggers: TriggersConfig | None = None
) -> PoisonScan:
    """Return the suspicious rows of a set; nothing is removed.

    Args:
        samples: The set, read once.
        triggers: When a cluster is suspicious; the usual settings when absent.
    """
    import numpy as np

    found: dict[int, list[Note]] = {}
    places: list[str] = []
    parts: list[np.ndarray] = [summarise_words([])]
    batch: list[Sample] = []
    for row, sample in enumerate(samples):
        origin = sample.provenance
        places.append(f"run {origin.run_id}" if origin.run_id else f"{origin.source}:{origin.line}")
        if notes := find_poison(sample.row):
            found[row] = list(notes)
        batch.append(sample)
        if len(batch) == _BATCH:
            parts.append(summarise_words(batch))
            batch.clear()
    parts.append(summarise_words(batch))
    limits = (triggers or TriggersConfig()).limits
    clusters = find_clusters(np.concatenate(parts), limits)
    for cluster in clusters:
        for row in cluster.rows:
            found.setdefault(row, []).append(Note(cluster.code, cluster.describe()))
    findings = tuple(SuspiciousRow(row, places[row], tuple(found[row])) for row in sorted(found))
    return PoisonScan(len(places), findings, tuple(clusters))
