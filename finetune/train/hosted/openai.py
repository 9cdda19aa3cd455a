"""Fine-tuning jobs at OpenAI and at hosts that speak its API, through the `openai` library.

The library, version 2 or 3, sends each request once: trying again is `patience`'s business, and
creating a job is never tried again.
"""

from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import anyio

from finetune.train.hosted.errors import FileRefusedError, KeyRefusedError, OutOfCreditError
from finetune.train.hosted.host import HostAddress, JobRequest
from finetune.train.hosted.job import HostedCheckpoint, HostedEvent, HostedJob
from finetune.train.hosted.openai_wire import (
    TAG,
    job_body,
    read_checkpoint,
    read_event,
    read_job,
)
from swarm.completions.refusal import hide_key, refusal
from swarm.errors import (
    ProviderDownError,
    ProviderOutputError,
    ProviderRefusedError,
    ProviderTimeoutError,
    require,
)

if TYPE_CHECKING:
    import openai

__all__ = ["OpenAIHost"]

_PLAIN_UPLOAD = 100_000_000
"""Bytes above which a file goes up in parts; one call takes 512 MB, and slow lines break sooner."""
_PART = 64 * 2**20
_SECONDS = 60.0
_UPLOAD_SECONDS = 900.0
_PAGE = 100
_MAX_PAGES = 1000
_NO_CREDIT = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")


class OpenAIHost:
    """Implements `FineTuningHost`."""

    def __init__(
        self, address: HostAddress, key: str | None, *, plain_upload: int = _PLAIN_UPLOAD
    ) -> None:
        library: Any = require("openai", extra="openai")
        self._library, self._address, self._key = library, address, key
        self._plain_upload = plain_upload
        self._client: openai.AsyncOpenAI = library.AsyncOpenAI(
            # The library insists on a key; a host that gets none ignores it.
            api_key=key or "none",
            base_url=address.url,
            max_retries=0,
            timeout=_SECONDS,
            # A redirect would carry the training data to a host that nobody named.
            http_client=library.DefaultAsyncHttpxClient(follow_redirects=False, timeout=_SECONDS),
        )

    @property
    def address(self) -> HostAddress:
        """Where it is."""
        return self._address

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def upload(self, path: Path, validation: Path | None) -> tuple[str, str | None]:
        """Upload the files; see `FineTuningHost.upload`."""
        training = await self._upload(path)
        return training, await self._upload(validation) if validation is not None else None

    async def _upload(self, path: Path) -> str:
        with self._translated("Files: write", file=path.name):
            if (await anyio.Path(path).stat()).st_size > self._plain_upload:
                client = self._client.with_options(timeout=_UPLOAD_SECONDS)
                sent: Any = (
                    await client.uploads.upload_file_chunked(
                        file=path, mime_type="text/jsonl", purpose="fine-tune", part_size=_PART
                    )
                ).file
            else:
                sent = await self._client.files.create(
                    file=path, purpose="fine-tune", timeout=_UPLOAD_SECONDS
                )
            found = self._dump(sent).get("id")
        if not isinstance(found, str) or not found:
            raise ProviderOutputError("the uploaded file has no id", provider=self._provider)
        return found

    async def is_ready(self, training_file: str) -> bool:
        """Return whether a file was read; see `FineTuningHost.is_ready`."""
        with self._translated("Files: read"):
            file = self._dump(await self._client.files.retrieve(training_file))
        if file.get("status") in ("error", "deleted"):
            said = str(file.get("status_details") or "it gave no reason")
            name = str(file.get("filename") or training_file)
            raise FileRefusedError(name, hide_key(said, self._key), provider=self._provider)
        # Hosts without this step leave the status out.
        return file.get("status") in (None, "processed")

    async def create(self, request: JobRequest) -> HostedJob:
        """Create a job, once; see `FineTuningHost.create`."""
        with self._translated("Fine-tuning: write", file="the training file"):
            created = await self._client.fine_tuning.jobs.create(**job_body(request))
            return self._job(created)

    async def find(self, request: JobRequest) -> HostedJob | None:
        """Return the job of a request by its tag, else by its file, which no other job has."""
        jobs = self._client.fine_tuning.jobs
        with self._translated("Fine-tuning: read"):
            # The filter is left out: a host that does not know it may refuse it.
            async for raw in self._items(jobs.list):
                job = read_job(raw, self._provider)
                if job.metadata.get(TAG) == request.tag:
                    return job
                if job.training_file == request.training_file:
                    return job
        return None

    async def get(self, job_id: str) -> HostedJob:
        """Return a job."""
        with self._translated("Fine-tuning: read"):
            return self._job(await self._client.fine_tuning.jobs.retrieve(job_id))

    async def cancel(self, job_id: str) -> HostedJob:
        """Stop a job and return it."""
        with self._translated("Fine-tuning: write"):
            return self._job(await self._client.fine_tuning.jobs.cancel(job_id))

    async def jobs(self, limit: int) -> Sequence[HostedJob]:
        """Return the newest jobs, newest first."""
        jobs, found = self._client.fine_tuning.jobs, list[HostedJob]()
        size = min(limit, _PAGE)
        with self._translated("Fine-tuning: read"):
            async for raw in self._items(jobs.list, limit=size):
                found.append(read_job(raw, self._provider))
                if len(found) == limit:
                    break
        return found

    async def events(self, job_id: str, known: frozenset[str]) -> Sequence[HostedEvent]:
        """Return the events of a job, oldest first."""
        jobs, found = self._client.fine_tuning.jobs, list[HostedEvent]()
        with self._translated("Fine-tuning: read"):
            async for raw in self._items(jobs.list_events, job_id, known=known):
                found.append(read_event(raw, self._provider))
        return _oldest_first(found)

    async def checkpoints(self, job_id: str) -> Sequence[HostedCheckpoint]:
        """Return the models that were saved on the way, oldest first."""
        points, found = self._client.fine_tuning.jobs.checkpoints, list[HostedCheckpoint]()
        with self._translated("Fine-tuning: read"):
            async for raw in self._items(points.list, job_id):
                found.append(read_checkpoint(raw, self._provider))
        return sorted(found, key=lambda point: point.step)

    async def shutdown_date(self, model: str) -> date | None:
        """Return when the list of models says that a model ends, or None."""
        try:
            with self._translated("Models: read"):
                page = await self._client.models.list()
                listed = [self._dump(known) for known in page.data or ()]
        except (ProviderRefusedError, ProviderOutputError) as refused:
            # A restricted key may not list models, and small hosts have no such list.
            if refused.status in (None, 403, 404, 405, 501):
                return None
            raise
        ends = next((known.get("shutdown_date") for known in listed if known["id"] == model), None)
        try:
            return date.fromisoformat(str(ends)[:10]) if ends else None
        except ValueError:
            return None

    @property
    def _provider(self) -> str:
        return "openai" if self._address.is_own else self._address.url

    def _job(self, raw: object) -> HostedJob:
        return read_job(self._dump(raw), self._provider)

    def _dump(self, answer: object) -> dict[str, Any]:
        """Return an answer of the library as JSON data; it checks no type itself."""
        dump = getattr(answer, "model_dump", None)
        if dump is None:
            raise ProviderOutputError("the answer is no JSON object", provider=self._provider)
        return dump(mode="json", warnings=False)

    async def _items(
        self,
        fetch: Callable[..., Any],
        *arguments: str,
        known: frozenset[str] = frozenset(),
        limit: int = _PAGE,
    ) -> AsyncGenerator[dict[str, Any]]:
        """Yield the items of a list that comes in pages, each once.

        Ends at a page that brings nothing new: the rest is known, or the host's cursor goes in
        circles.
        """
        seen, where = set(known), dict[str, str]()
        for _ in range(_MAX_PAGES):
            page = await fetch(*arguments, limit=limit, **where)
            items = [self._dump(item) for item in getattr(page, "data", None) or ()]
            fresh = [item for item in items if item.get("id") not in seen]
            for item in fresh:
                seen.add(str(item.get("id")))
                yield item
            if not fresh or getattr(page, "has_more", None) is not True:
                return
            where["after"] = str(items[-1].get("id"))

    @contextmanager
    def _translated(self, permission: str, *, file: str | None = None) -> Generator[None]:
        """Turn what the library raises into our errors.

        Args:
            permission: What a key needs for this call, in OpenAI's words.
            file: The file that the call is about, where the provider may refuse it.
        """
        library = self._library
        try:
            yield
        except library.APIStatusError as error:
            # Its own text may hold the key, so it is not kept as a cause.
            raise self._refusal(error, permission, file) from None
        except library.APITimeoutError:
            raise ProviderTimeoutError("no answer in time", provider=self._provider) from None
        except library.APIConnectionError as error:
            cause = error.__cause__ or error
            text = hide_key(f"no connection: {type(cause).__name__}: {cause}", self._key)
            raise ProviderDownError(text, provider=self._provider) from None
        except (library.OpenAIError, ValueError) as error:
            text = hide_key(f"{type(error).__name__}: {error}", self._key)
            raise ProviderOutputError(text, provider=self._provider) from None

    def _refusal(self, error: Any, permission: str, file: str | None) -> Exception:
        status: int = error.status_code
        told: Any = error.body
        body = cast("dict[str, Any]", told if isinstance(told, dict) else {})
        said = hide_key(str(body.get("message") or error.message), self._key)
        words = {str(body.get("code")), str(body.get("type"))}
        if status == 402 or words.intersection(_NO_CREDIT):
            return OutOfCreditError(said, provider=self._provider, status=status)
        if status in (401, 403):
            return KeyRefusedError(
                said,
                provider=self._provider,
                status=status,
                variable=self._address.variable,
                permission=permission,
            )
        param = str(body.get("param"))
        if file is not None and status in (400, 413, 415, 422):
            if param in ("training_file", "validation_file"):
                return FileRefusedError(f"the {param}", said, provider=self._provider)
            if not permission.startswith("Fine-tuning"):
                return FileRefusedError(file, said, provider=self._provider)
        wait = error.response.headers.get("retry-after")
        return refusal(status, said, provider=self._provider, key=self._key, retry_after=wait)


def _oldest_first(events: list[HostedEvent]) -> list[HostedEvent]:
    # OpenAI lists the newest first, others the oldest; within one second the order of the list
    # is all there is.
    if events and events[0].at >= events[-1].at:
        events.reverse()
    return sorted(events, key=lambda event: event.at)
