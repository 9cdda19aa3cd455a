"""What a provider of fine-tuning must be able to do, and how one is opened.

`openai` and `cohere` implement it; `submit`, `follow` and the commands only know this.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from finetune.train.hosted.config import Backend, HostedConfig, check_address
from finetune.train.hosted.job import HostedCheckpoint, HostedEvent, HostedJob
from swarm.environment import read_environment
from swarm.errors import DeclarationError, MissingKeyError

__all__ = ["OWN_URLS", "FineTuningHost", "HostAddress", "JobRequest", "open_host"]

OWN_URLS: Mapping[Backend, str] = {
    "openai": "https://api.openai.com/v1",
    "cohere": "https://api.cohere.com",
}
"""The providers' own addresses."""

_VARIABLES: Mapping[Backend, str] = {"openai": "OPENAI_API_KEY", "cohere": "COHERE_API_KEY"}


class HostAddress(NamedTuple):
    """Where a provider is, and which variable holds the key for it."""

    backend: Backend
    base_url: str | None = None
    """None is the provider's own."""
    api_key_env: str | None = None

    @property
    def url(self) -> str:
        """The address, always given."""
        return self.base_url or OWN_URLS[self.backend]

    @property
    def is_own(self) -> bool:
        """Whether the provider itself is meant, also where its address is written out."""
        return urlsplit(self.url).hostname == urlsplit(OWN_URLS[self.backend]).hostname

    @property
    def variable(self) -> str:
        """The variable that the key comes from, where one is sent."""
        return self.api_key_env or _VARIABLES[self.backend]


class JobRequest(NamedTuple):
    """A job to create, with its files at the provider."""

    config: HostedConfig
    tag: str
    """Names the run in the job, so that it is found again."""
    training_file: str
    validation_file: str | None


class FineTuningHost(Protocol):
    """A provider of fine-tuning jobs. Its methods raise `ProviderError` and its kinds."""

    @property
    def address(self) -> HostAddress:
        """Where it is."""
        ...

    async def upload(self, path: Path, validation: Path | None) -> tuple[str, str | None]:
        """Upload the files and return their ids at the provider.

        Raises:
            FileRefusedError: The provider does not take one.
        """
        ...

    async def is_ready(self, training_file: str) -> bool:
        """Return whether the provider is done with reading a file.

        Raises:
            FileRefusedError: It is, and does not take it.
        """
        ...

    async def create(self, request: JobRequest) -> HostedJob:
        """Create a job; never tries twice.

        Raises:
            ProviderDownError: It is not known whether there is a job now; `find` tells.
        """
        ...

    async def find(self, request: JobRequest) -> HostedJob | None:
        """Return the job that was created for a request, or None."""
        ...

    async def get(self, job_id: str) -> HostedJob:
        """Return a job."""
        ...

    async def cancel(self, job_id: str) -> HostedJob:
        """Stop a job and return it."""
        ...

    async def jobs(self, limit: int) -> Sequence[HostedJob]:
        """Return the newest jobs, newest first."""
        ...

    async def events(self, job_id: str, known: frozenset[str]) -> Sequence[HostedEvent]:
        """Return the events of a job, oldest first.

        Args:
            job_id: The job.
            known: Ids of events that need not be read again; those may be left out.
        """
        ...

    async def checkpoints(self, job_id: str) -> Sequence[HostedCheckpoint]:
        """Return the models that were saved on the way, oldest first."""
        ...

    async def shutdown_date(self, model: str) -> date | None:
        """Return when the provider says that a model ends, or None where it says nothing."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


@asynccontextmanager
async def open_host(
    address: HostAddress, environment: Mapping[str, str] | None = None
) -> AsyncGenerator[FineTuningHost]:
    """Open a provider for as long as the block runs.

    Args:
        address: Which one.
        environment: Where the key is looked up; the process's with `.env` beneath by default.

    Raises:
        MissingExtraError: The provider's library is not installed.
        MissingKeyError: The key is not set.
        DeclarationError: The address is no address, or holds a password.
    """
    if address.is_own and urlsplit(address.url).scheme != "https":
        raise DeclarationError(f"{address.url}: a key goes to its provider only over https")
    known = read_environment() if environment is None else environment
    try:
        check_address(address.url)
    except ValueError as wrong:
        raise DeclarationError(str(wrong)) from None
    key: str | None = None
    # A host of your own gets only a key that was meant for it.
    if address.is_own or address.api_key_env is not None:
        key = known.get(address.variable, "").strip() or None
        if key is None:
            raise MissingKeyError(address.variable, f"{address.backend} fine-tuning")
    host = _opener(address.backend)(address, key)
    try:
        yield host
    finally:
        await host.aclose()


def _opener(backend: Backend) -> Callable[[HostAddress, str | None], FineTuningHost]:
    if backend == "cohere":
        from finetune.train.hosted.cohere import CohereHost

        return CohereHost
    from finetune.train.hosted.openai import OpenAIHost

    return OpenAIHost
