"""Fine-tuning of chat models in Cohere's API, through the `cohere` library.

Cohere ended its own service on 2025-09-15; this serves hosts that still speak the API. It has no
metadata and no way to stop a job but to delete its model; jobs are found by their dataset.
"""

from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from finetune.train.hosted.cohere_rows import chat_lines
from finetune.train.hosted.errors import FileRefusedError, KeyRefusedError, OutOfCreditError
from finetune.train.hosted.host import HostAddress, JobRequest
from finetune.train.hosted.job import HostedCheckpoint, HostedEvent, HostedJob, JobStatus
from swarm.completions.refusal import hide_key, refusal
from swarm.errors import (
    ProviderDownError,
    ProviderOutputError,
    ProviderTimeoutError,
    require,
)

if TYPE_CHECKING:
    import cohere

__all__ = ["CohereHost"]

_SECONDS = 60.0
_UPLOAD_SECONDS = 900
_MAX_PAGES = 1000
_STATUSES: dict[str, JobStatus] = {
    "STATUS_UNSPECIFIED": "queued",
    "STATUS_QUEUED": "queued",
    "STATUS_PAUSED": "queued",
    "STATUS_FINETUNING": "running",
    "STATUS_DEPLOYING_API": "running",
    "STATUS_READY": "completed",
    "STATUS_TEMPORARILY_OFFLINE": "completed",
    "STATUS_FAILED": "failed",
    "STATUS_DELETED": "cancelled",
}


class CohereHost:
    """Implements `FineTuningHost`."""

    def __init__(self, address: HostAddress, key: str | None) -> None:
        library: Any = require("cohere", extra="cohere")
        self._httpx: Any = require("httpx", extra="cohere")
        self._errors: Any = require("cohere.core.api_error", extra="cohere")
        self._address, self._key = address, key
        client: cohere.AsyncClient = library.AsyncClient(
            api_key=key or "none",
            base_url=address.url,
            timeout=_SECONDS,
            # A redirect would carry the training data to a host that nobody named.
            httpx_client=self._httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False),
            log_warning_experimental_features=False,
        )
        # The library's parameters are its own models; it takes the same data as mappings.
        self._client: Any = client

    @property
    def address(self) -> HostAddress:
        """Where it is."""
        return self._address

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.__aexit__(None, None, None)

    async def upload(self, path: Path, validation: Path | None) -> tuple[str, str | None]:
        """Upload both files as one dataset; there is no id for the second."""
        data = chat_lines(path)
        extra: dict[str, Any] = {}
        if validation is not None:
            extra["eval_data"] = (validation.name, chat_lines(validation))
        with self._translated("datasets", file=path.name):
            created = await self._client.datasets.create(
                name=f"wikiswarm-{path.parent.name}"[:64],
                type="chat-finetune-input",
                data=(path.name, data),
                **extra,
                request_options={"timeout_in_seconds": _UPLOAD_SECONDS, "max_retries": 0},
            )
        return self._id(created), None

    async def is_ready(self, training_file: str) -> bool:
        """Return whether a dataset was validated; see `FineTuningHost.is_ready`."""
        with self._translated("datasets"):
            answer = await self._client.datasets.get(training_file, request_options=_ONCE)
        dataset = _dump(getattr(answer, "dataset", None))
        status = dataset.get("validation_status")
        if status in ("failed", "skipped"):
            said = str(dataset.get("validation_error") or "it gave no reason")
            raise FileRefusedError(training_file, hide_key(said, self._key), provider="cohere")
        return status == "validated"

    async def create(self, request: JobRequest) -> HostedJob:
        """Create a job, once; see `FineTuningHost.create`."""
        config = request.config
        numbers = {
            "train_epochs": config.epochs,
            "train_batch_size": config.batch_size,
            "learning_rate": config.learning_rate,
        }
        base = {"base_type": "BASE_TYPE_CHAT", "name": config.model}
        settings = {
            "base_model": base,
            "dataset_id": request.training_file,
            "hyperparameters": {k: v for k, v in numbers.items() if v is not None},
        }
        name = f"{config.suffix or 'wikiswarm'}-{request.tag[:8]}"
        with self._translated("fine-tuning", file="the dataset"):
            created = await self._client.finetuning.create_finetuned_model(
                request={"name": name, "settings": settings}, request_options=_ONCE
            )
        return self._job(getattr(created, "finetuned_model", None))

    async def find(self, request: JobRequest) -> HostedJob | None:
        """Return the job of a request by its dataset, which no other job has."""
        for job in await self.jobs(_MAX_PAGES):
            if job.training_file == request.training_file:
                return job
        return None

    async def get(self, job_id: str) -> HostedJob:
        """Return a job."""
        with self._translated("fine-tuning"):
            answer = await self._client.finetuning.get_finetuned_model(
                job_id, request_options=_ONCE
            )
        return self._job(getattr(answer, "finetuned_model", None))

    async def cancel(self, job_id: str) -> HostedJob:
        """Delete the model of a job, which is the only way to stop it."""
        job = await self.get(job_id)
        if job.has_ended:
            return job
        with self._translated("fine-tuning"):
            await self._client.finetuning.delete_finetuned_model(job_id, request_options=_ONCE)
        update = {"status": "cancelled", "provider_status": "STATUS_DELETED"}
        return job.model_copy(update=update)

    async def jobs(self, limit: int) -> Sequence[HostedJob]:
        """Return the newest jobs, newest first."""
        fetch = self._client.finetuning.list_finetuned_models
        with self._translated("fine-tuning"):
            found = [self._job(raw) async for raw in self._items(fetch, "finetuned_models")]
        oldest = datetime.fromtimestamp(0, UTC)
        return sorted(found, key=lambda job: job.created_at or oldest, reverse=True)[:limit]

    async def events(self, job_id: str, known: frozenset[str]) -> Sequence[HostedEvent]:
        """Return the changes of a job's status and its metrics, oldest first."""
        found: list[HostedEvent] = []
        api = self._client.finetuning
        with self._translated("fine-tuning"):
            async for raw in self._items(api.list_events, "events", job_id):
                event = _dump(raw)
                status, at = str(event.get("status")), _time(event.get("created_at"))
                level = "error" if status == "STATUS_FAILED" else "info"
                name = f"{status} {at.isoformat()}"
                found.append(HostedEvent(id=name, at=at, level=level, message=status))
            async for raw in self._items(api.list_training_step_metrics, "step_metrics", job_id):
                step = _dump(raw)
                number = int(step.get("step_number") or 0)
                found.append(
                    HostedEvent(
                        id=f"step {number}",
                        at=_time(step.get("created_at")),
                        message=f"step {number}",
                        step=number,
                        metrics=step.get("metrics") or {},
                    )
                )
        return sorted(found, key=lambda event: event.at)

    async def checkpoints(self, job_id: str) -> Sequence[HostedCheckpoint]:
        """Return nothing: the API has none."""
        return ()

    async def shutdown_date(self, model: str) -> date | None:
        """Return None: the API does not say."""
        return None

    def _id(self, created: object) -> str:
        found = getattr(created, "id", None)
        if not isinstance(found, str) or not found:
            raise ProviderOutputError("the dataset has no id", provider="cohere")
        return found

    def _job(self, answer: object) -> HostedJob:
        raw = _dump(answer)
        settings: dict[str, Any] = raw.get("settings") or {}
        base: dict[str, Any] = settings.get("base_model") or {}
        job_id = raw.get("id")
        if not isinstance(job_id, str) or not job_id:
            raise ProviderOutputError("the answer is no fine-tuned model", provider="cohere")
        word = str(raw.get("status") or "STATUS_UNSPECIFIED")
        status = _STATUSES.get(word, "running")
        ended = raw.get("completed_at")
        return HostedJob(
            backend="cohere",
            id=job_id,
            model=str(base.get("name") or base.get("base_type") or ""),
            status=status,
            provider_status=word,
            created_at=_time(raw["created_at"]) if raw.get("created_at") else None,
            finished_at=_time(ended) if ended else None,
            # Cohere names a tuned model by its id and this ending.
            fine_tuned_model=f"{job_id}-ft" if status == "completed" else None,
            training_file=settings.get("dataset_id"),
        )

    async def _items(
        self, fetch: Callable[..., Any], field: str, *arguments: str
    ) -> AsyncGenerator[object]:
        """Yield the items of a list that comes in pages; a token that comes back ends it."""
        seen: set[str] = set()
        where: dict[str, str] = {}
        for _ in range(_MAX_PAGES):
            page = await fetch(*arguments, **where, request_options=_ONCE)
            for item in getattr(page, field, None) or ():
                yield item
            token = getattr(page, "next_page_token", None)
            if not isinstance(token, str) or not token or token in seen:
                return
            seen.add(token)
            where["page_token"] = token

    @contextmanager
    def _translated(self, permission: str, *, file: str | None = None) -> Generator[None]:
        """Turn what the library raises into our errors; see `OpenAIHost`."""
        try:
            yield
        except self._errors.ApiError as error:
            # Its own text holds the headers, so it is not kept as a cause.
            raise self._refusal(error, permission, file) from None
        except self._httpx.TimeoutException:
            raise ProviderTimeoutError("no answer in time", provider="cohere") from None
        except self._httpx.HTTPError as error:
            text = hide_key(f"no connection: {type(error).__name__}: {error}", self._key)
            raise ProviderDownError(text, provider="cohere") from None

    def _refusal(self, error: Any, permission: str, file: str | None) -> Exception:
        status = int(error.status_code or 500)
        body: Any = error.body
        told = cast("dict[str, Any]", body).get("message") if isinstance(body, dict) else body
        said = hide_key(str(told or ""), self._key)
        if status == 402:
            return OutOfCreditError(said, provider="cohere", status=status)
        if status in (401, 403):
            return KeyRefusedError(
                said,
                provider="cohere",
                status=status,
                variable=self._address.variable,
                permission=permission,
            )
        if file is not None and permission == "datasets" and status in (400, 413, 422):
            return FileRefusedError(file, said, provider="cohere")
        headers = cast("dict[str, str]", error.headers or {})
        wait = headers.get("retry-after")
        return refusal(status, said, provider="cohere", key=self._key, retry_after=wait)


_ONCE = {"max_retries": 0}
"""Trying again is `patience`'s business, and creating a job is never tried again."""


def _dump(answer: object) -> dict[str, Any]:
    dump = getattr(answer, "model_dump", None)
    return dump(mode="json") if dump is not None else {}


def _time(text: object) -> datetime:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
