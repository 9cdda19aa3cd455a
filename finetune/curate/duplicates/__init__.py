"""Copies of conversations: exact ones, near ones, those that mean the same, and leaks.

A step keeps the best of each group and says which row stands for each one that goes. `leakage`
compares two sets instead. The figures that they reach are in docs/curation.md.
"""

from finetune.curate.duplicates.exact import ExactDuplicates
from finetune.curate.duplicates.leakage import Leak, LeakageReport, leakage
from finetune.curate.duplicates.near import NearDuplicates
from finetune.curate.duplicates.semantic import SemanticDuplicates

__all__ = [
    "ExactDuplicates",
    "Leak",
    "LeakageReport",
    "NearDuplicates",
    "SemanticDuplicates",
    "leakage",
]
