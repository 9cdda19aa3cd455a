"""What a hosted job is asked to do, and the names that its model gets."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

__all__ = ["Backend", "HostedConfig", "check_address", "dated_suffix", "versioned_suffix"]

Backend = Literal["openai", "cohere"]
"""Whose wire format is spoken; `base_url` may name another host that speaks it."""

_SUFFIX = 64

_Key = Annotated[str, Field(min_length=1, max_length=64)]
_Value = Annotated[str, Field(max_length=512)]


class HostedConfig(BaseModel):
    """Everything that shapes a hosted job besides its data; frozen into the run folder."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    backend: Backend = "openai"
    model: Annotated[str, Field(min_length=1)]
    """The provider's name of the base model, or of a fine-tuned one to go on from."""
    method: Literal["sft", "dpo"] = "sft"
    """Imitate answers, or prefer one answer to another; `cohere` knows only `sft`."""
    epochs: Annotated[int, Field(ge=1)] | None = None
    """Passes over the data; None leaves it to the provider."""
    batch_size: Annotated[int, Field(ge=1)] | None = None
    """Rows per step; None leaves it to the provider."""
    learning_rate_multiplier: Annotated[float, Field(gt=0)] | None = None
    """For `openai`: times the provider's own rate."""
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    """For `cohere`: the rate itself."""
    beta: Annotated[float, Field(gt=0)] | None = None
    """For `dpo`: how far the model may move away from its base; smaller is further."""
    seed: Annotated[int, Field(ge=0)] | None = None
    suffix: Annotated[str, Field(min_length=1, max_length=_SUFFIX)] | None = None
    """Becomes part of the model's name, with the `version` of the metadata where there is one."""
    metadata: Annotated[Mapping[_Key, _Value], Field(max_length=15)] = {}
    """Kept with the job, such as `version`, `description` and `training_date`. Providers take 16
    pairs; one of them names the run."""
    integrations: tuple[Mapping[str, JsonValue], ...] = ()
    """For `openai`: such as `{"type": "wandb", "wandb": {"project": "shop"}}`."""
    request_shape: Literal["method", "hyperparameters"] = "method"
    """For `openai`: `hyperparameters` is the old form, which some compatible hosts still want."""
    base_url: str | None = None
    """The host's address; None is the provider's own."""
    api_key_env: str | None = None
    """The variable with the key. A host of your own is sent no key unless this names one."""

    @property
    def model_suffix(self) -> str | None:
        """What becomes part of the model's name."""
        version = self.metadata.get("version")
        if self.suffix is None or version is None:
            return self.suffix
        return versioned_suffix(self.suffix, version)

    @property
    def minimum_rows(self) -> int:
        """The fewest rows that the provider takes."""
        if self.base_url is not None:
            return 1
        return 10 if self.backend == "openai" else 2

    @model_validator(mode="after")
    def _fits_the_backend(self) -> "HostedConfig":
        if self.backend == "cohere" and self.method != "sft":
            raise ValueError("cohere has no preference training; use the method sft")
        if self.base_url is not None:
            check_address(self.base_url)
        foreign = {
            "openai": ("learning_rate",),
            "cohere": ("learning_rate_multiplier", "seed", "integrations", "metadata"),
        }[self.backend]
        if given := [name for name in foreign if getattr(self, name) not in (None, (), {})]:
            raise ValueError(f"{self.backend} knows no {', '.join(given)}")
        if self.beta is not None and self.method != "dpo":
            raise ValueError("beta belongs to the method dpo")
        if self.request_shape == "hyperparameters" and self.method == "dpo":
            raise ValueError("the old form of the request knows no dpo; set request_shape: method")
        return self


def check_address(url: str) -> None:
    """Raise unless a URL is an address that may be written down and shown.

    Raises:
        ValueError: It is none, or holds a password.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("base_url must be an address such as https://host.example/v1")
    if parts.username or parts.password or parts.query:
        raise ValueError("base_url may hold no password or key; name its variable in api_key_env")


def dated_suffix(name: str, at: datetime | None = None) -> str:
    """Return a suffix with a time stamp, such as `shop-20261125-0215`, in UTC.

    Args:
        name: What the model is for; characters that providers refuse become hyphens.
        at: The time; now by default.
    """
    return _suffix(name, (at or datetime.now(UTC)).astimezone(UTC).strftime("%Y%m%d-%H%M"))


def versioned_suffix(name: str, version: str) -> str:
    """Return a suffix with a version, such as `shop-v1-2` for version `1.2`."""
    return _suffix(name, f"v{_plain(version).removeprefix('v')}")


def _suffix(name: str, ending: str) -> str:
    start = _plain(name)[: _SUFFIX - len(ending) - 1].strip("-")
    return f"{start}-{ending}" if start else ending


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
