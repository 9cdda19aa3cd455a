"""A server that speaks Cohere's datasets and fine-tuned models, as the types of their SDK say."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

__all__ = ["FakeCohere", "open_cohere_server"]

Json = dict[str, Any]
_AT = "2026-11-25T02:00:00Z"


@dataclass(slots=True)
class FakeCohere:
    """What it holds, what came, and how it behaves."""

    base_url: str = ""
    datasets: dict[str, bytes] = field(default_factory=dict[str, bytes])
    models: list[Json] = field(default_factory=list[Json])
    states: list[str] = field(default_factory=lambda: ["STATUS_READY"])
    """What a model becomes at each look; the last one stays."""
    events: list[Json] = field(default_factory=list[Json])
    validation_error: str | None = None
    refuses: tuple[int, str] | None = None
    """A status and a text for the next creation of a model."""
    keys: set[str] = field(default_factory=set[str])
    loses_created: int = 0
    has_circles: bool = False


@asynccontextmanager
async def open_cohere_server() -> AsyncGenerator[FakeCohere]:
    """Serve on loopback for as long as the block runs."""
    fake = FakeCohere()
    app = web.Application()
    _routes(app, fake)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()


def _routes(app: web.Application, fake: FakeCohere) -> None:
    async def new_dataset(request: web.Request) -> web.Response:
        fake.keys.add(request.headers["Authorization"].removeprefix("Bearer "))
        assert request.query["type"] == "chat-finetune-input"
        form = await request.post()
        sent: Any = form["data"]
        name = f"dataset-{len(fake.datasets)}"
        fake.datasets[name] = sent.file.read()
        return _json({"id": name})

    async def dataset(request: web.Request) -> web.Response:
        failed = fake.validation_error is not None
        found = {
            "id": request.match_info["id"],
            "name": "n",
            "created_at": _AT,
            "updated_at": _AT,
            "dataset_type": "chat-finetune-input",
            "validation_status": "failed" if failed else "validated",
            "validation_error": fake.validation_error,
        }
        return _json({"dataset": found})

    async def create(request: web.Request) -> web.Response:
        if fake.refuses is not None:
            status, text = fake.refuses
            fake.refuses = None
            return _json({"message": text}, status=status)
        body: Json = orjson.loads(await request.read())
        model = {**body, "id": f"model-{len(fake.models)}", "status": "STATUS_QUEUED"}
        fake.models.append({**model, "created_at": _AT})
        if fake.loses_created > 0:
            fake.loses_created -= 1
            assert request.transport is not None
            request.transport.abort()
        return _json({"finetuned_model": fake.models[-1]})

    async def list_models(request: web.Request) -> web.Response:
        token = "again" if fake.has_circles else ""
        return _json({"finetuned_models": fake.models, "next_page_token": token})

    async def look(request: web.Request) -> web.Response:
        model = next(m for m in fake.models if m["id"] == request.match_info["id"])
        if model["status"] != "STATUS_DELETED":
            model["status"] = fake.states.pop(0) if len(fake.states) > 1 else fake.states[0]
        return _json({"finetuned_model": model})

    async def delete(request: web.Request) -> web.Response:
        model = next(m for m in fake.models if m["id"] == request.match_info["id"])
        model["status"] = "STATUS_DELETED"
        return _json({})

    async def events(request: web.Request) -> web.Response:
        return _json({"events": fake.events, "next_page_token": "", "total_size": 1})

    async def metrics(request: web.Request) -> web.Response:
        step = {"created_at": _AT, "step_number": 4, "metrics": {"loss": 0.25}}
        return _json({"step_metrics": [step], "next_page_token": ""})

    where = "/v1/finetuning/finetuned-models"
    app.router.add_post("/v1/datasets", new_dataset)
    app.router.add_get("/v1/datasets/{id}", dataset)
    app.router.add_post(where, create)
    app.router.add_get(where, list_models)
    app.router.add_get(where + "/{id}", look)
    app.router.add_delete(where + "/{id}", delete)
    app.router.add_get(where + "/{id}/events", events)
    app.router.add_get(where + "/{id}/training-step-metrics", metrics)


def _json(body: object, *, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")
