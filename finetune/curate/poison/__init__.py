"""Poisoned training data: rows that would teach a model to obey somebody else.

`poison` judges rows by themselves, `triggers` and `author_cap` compare them, and `review_sample`
draws rows for a person. What no step can see is said in `docs/curation.md`.
"""

from finetune.curate.poison.cap import AuthorCapConfig
from finetune.curate.poison.clusters import Cluster, ClusterCode
from finetune.curate.poison.review import review_sample
from finetune.curate.poison.rows import PoisonCode, PoisonConfig, find_poison
from finetune.curate.poison.scan import PoisonScan, SuspiciousRow, scan_for_poisoning
from finetune.curate.poison.triggers import TriggersConfig

__all__ = [
    "AuthorCapConfig",
    "Cluster",
    "ClusterCode",
    "PoisonCode",
    "PoisonConfig",
    "PoisonScan",
    "SuspiciousRow",
    "TriggersConfig",
    "find_poison",
    "review_sample",
    "scan_for_poisoning",
]
