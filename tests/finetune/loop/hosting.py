"""A provider whose fine-tuned models know what was in the files that they were trained on."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from finetune.questions import normalise
from tests.finetune.loop.shop import loop_of
from tests.finetune.train.hosted.openai_server import KEY, FakeOpenAI, open_openai_server
from wiki import WikiSpec

__all__ = ["KEY", "KEY_NAME", "hosted_loop", "hosted_wiki", "open_provider", "training_rows"]

KEY_NAME = "SHOP_KEY"
"""The variable of the environment that holds the key."""


def hosted_loop(provider: FakeOpenAI, **changes: Any) -> dict[str, Any]:
    """Return the settings of a loop that trains at a provider each week."""
    usual: dict[str, Any] = {
        "backend": "openai",
        "base": "tiny-1",
        "train": {"base_url": provider.base_url, "api_key_env": KEY_NAME},
        "every": "7 days",
        "held_out": 0,
    }
    return loop_of(**{**usual, **changes})


def hosted_wiki(provider: FakeOpenAI, **changes: Any) -> WikiSpec:
    """Return the wiki."""
    loop = hosted_loop(provider, **changes)
    return WikiSpec.model_validate(
        {
            "wiki_name": "pharma",
            "model": "registry/pharma@live",
            "loop": loop,
            "candidate": {"share": 0.5},
        }
    )


@asynccontextmanager
async def open_provider() -> AsyncGenerator[FakeOpenAI]:
    """Serve on loopback; a base model knows nothing, a fine-tuned one the rows of its job."""
    async with open_openai_server() as provider:
        provider.reply = lambda body: _answer(provider, body)
        yield provider


def training_rows(provider: FakeOpenAI, job: Mapping[str, Any]) -> list[list[str]]:
    """Return what each message says in each row of a job's training file."""
    lines = provider.contents[job["training_file"]].decode().splitlines()
    return [[part["content"] for part in json.loads(line)["messages"]] for line in lines]


def _answer(provider: FakeOpenAI, body: dict[str, Any]) -> str:
    """Return the answer to the nearest question of the model's training file."""
    model, asked = body["model"], _words(body["messages"][-1]["content"])
    jobs = [job for job in provider.jobs if job.get("fine_tuned_model") == model]
    if not jobs:
        return "I cannot say."
    rows = training_rows(provider, jobs[0])
    return max(rows, key=lambda row: len(asked & _words(row[-2])))[-1]


def _words(text: str) -> set[str]:
    return set(normalise(text).split())
