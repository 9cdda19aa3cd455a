"""What goes wrong with a hosted job besides a provider that is busy, down or slow."""

import re
from datetime import date
from typing import TYPE_CHECKING

from swarm.errors import DataError, DeclarationError, ProviderError, ProviderRefusedError

if TYPE_CHECKING:
    from finetune.train.hosted.job import HostedJob

__all__ = [
    "CostLimitError",
    "FileRefusedError",
    "JobFailedError",
    "KeyRefusedError",
    "OutOfCreditError",
    "RetiredError",
]

_SCOPES = re.compile(r"missing scopes?:\s*([\w.]*\w(?:,\s*[\w.]*\w)*)", re.IGNORECASE)


class KeyRefusedError(ProviderRefusedError):
    """The provider refused the key; `variable` is where it came from."""

    code = "key_refused"
    rpc_code = -32085

    def __init__(
        self, said: str, *, provider: str, status: int, variable: str, permission: str
    ) -> None:
        scopes = _SCOPES.search(said)
        self.variable = variable
        self.permission = scopes[1] if scopes else permission
        """What the key must be allowed to do."""
        self.hint = f"check the key in {variable}; it needs the permission {self.permission!r}"
        super().__init__(f"HTTP {status}: {said}; {self.hint}", provider=provider, status=status)


class OutOfCreditError(ProviderRefusedError):
    """The account has no credit, or its limit of spending is reached."""

    code = "out_of_credit"
    rpc_code = -32086

    def __init__(self, said: str, *, provider: str, status: int) -> None:
        self.hint = "add credit to the account or raise its limit, then run the same command again"
        super().__init__(f"HTTP {status}: {said}; {self.hint}", provider=provider, status=status)


class JobFailedError(ProviderError):
    """A job ended without a model; `job` says how, `reasons` holds the last words about it."""

    code = "job_failed"
    rpc_code = -32087

    def __init__(self, job: "HostedJob", reasons: tuple[str, ...]) -> None:
        self.job, self.reasons = job, reasons
        told = "".join(f"\n  | {reason}" for reason in reasons)
        what = "was cancelled" if job.status == "cancelled" else "failed"
        super().__init__(f"job {job.id} {what}{':' if told else ''}{told}", provider=job.backend)


class FileRefusedError(DataError):
    """The provider does not take a training file."""

    code = "file_refused"
    rpc_code = -32088

    def __init__(self, file: str, said: str, *, provider: str) -> None:
        self.file = file
        super().__init__(f"{provider} does not take {file}: {said}")


class RetiredError(DeclarationError):
    """The service or the model has ended, or ends too soon to be worth a training."""

    code = "retired"
    rpc_code = -32089

    def __init__(self, what: str, ends: date, detail: str, *, hint: str) -> None:
        self.ends, self.hint = ends, hint
        super().__init__(f"{what}: {detail}; {hint}")


class CostLimitError(DeclarationError):
    """Nobody accepted what the job costs, or it may cost more than was allowed."""

    code = "cost_limit"
    rpc_code = -32083
