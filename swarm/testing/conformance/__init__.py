"""What an implementation of one of our protocols must do, as a suite that anybody may run.

A case is a behaviour with a name. The suite says which ones hold; it needs no test framework.
"""

from swarm.testing.conformance.journal import journal_cases, validate_journal
from swarm.testing.conformance.report import CaseResult, ConformanceError, Report
from swarm.testing.conformance.vectors import validate_vector_index, vector_index_cases

__all__ = [
    "CaseResult",
    "ConformanceError",
    "Report",
    "journal_cases",
    "validate_journal",
    "validate_vector_index",
    "vector_index_cases",
]
