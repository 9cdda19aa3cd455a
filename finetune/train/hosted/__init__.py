"""Training at a provider: OpenAI, hosts that speak its API, and the API that Cohere had.

It sends checked rows, creates one job, follows it, and registers the model that comes out. It
serves no model; `swarm.completions` and `wiki.registry` do.
"""

from finetune.train.hosted.advice import advice, same_training
from finetune.train.hosted.config import Backend, HostedConfig, dated_suffix, versioned_suffix
from finetune.train.hosted.errors import (
    CostLimitError,
    FileRefusedError,
    JobFailedError,
    KeyRefusedError,
    OutOfCreditError,
    RetiredError,
)
from finetune.train.hosted.follow import HostedResult, follow, look, train_hosted
from finetune.train.hosted.host import FineTuningHost, HostAddress, open_host
from finetune.train.hosted.job import HostedCheckpoint, HostedEvent, HostedJob, JobStatus
from finetune.train.hosted.patience import Pace
from finetune.train.hosted.prices import CostEstimate, estimate_cost
from finetune.train.hosted.record import (
    RunRecord,
    find_unfinished,
    read_events,
    read_record,
    run_records,
)
from finetune.train.hosted.register import register_hosted
from finetune.train.hosted.submit import submit

__all__ = [
    "Backend",
    "CostEstimate",
    "CostLimitError",
    "FileRefusedError",
    "FineTuningHost",
    "HostAddress",
    "HostedCheckpoint",
    "HostedConfig",
    "HostedEvent",
    "HostedJob",
    "HostedResult",
    "JobFailedError",
    "JobStatus",
    "KeyRefusedError",
    "OutOfCreditError",
    "Pace",
    "RetiredError",
    "RunRecord",
    "advice",
    "dated_suffix",
    "estimate_cost",
    "find_unfinished",
    "follow",
    "look",
    "open_host",
    "read_events",
    "read_record",
    "register_hosted",
    "run_records",
    "same_training",
    "submit",
    "train_hosted",
    "versioned_suffix",
]
