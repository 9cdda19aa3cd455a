"""A server that speaks OpenAI's files, uploads, models and fine-tuning jobs, as a test sets it up.

It keeps what it was sent, and can refuse, break off, lie about its pages, and take its time.
"""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread
import orjson
from aiohttp import web

__all__ = ["KEY", "FakeOpenAI", "Refuse", "open_openai_server"]

Json = dict[str, Any]
KEY = "sk-of-a-test-1234567890"
_BEGAN = 1_790_000_000


@dataclass(frozen=True, slots=True)
class Refuse:
    """An answer in place of the usual one."""

    status: int
    message: str = "the stub says no"
    code: str | None = None
    param: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class FakeOpenAI:
    """What it holds, what came, and how it behaves."""

    base_url: str = ""
    files: dict[str, Json] = field(default_factory=dict[str, Json])
    contents: dict[str, bytes] = field(default_factory=dict[str, bytes])
    parts: list[int] = field(default_factory=list[int])
    jobs: list[Json] = field(default_factory=list[Json])
    bodies: list[Json] = field(default_factory=list[Json])
    """What jobs were created with."""
    events: list[Json] = field(default_factory=list[Json])
    """The log of every job, oldest first."""
    requests: list[str] = field(default_factory=list[str])
    """Method and path of each request."""
    keys: set[str] = field(default_factory=set[str])
    states: list[Json] = field(default_factory=lambda: [{"status": "succeeded"}])
    """What a job becomes at each look; the last one stays."""
    refusals: dict[str, list[Refuse]] = field(default_factory=dict[str, list[Refuse]])
    """By method and path, such as `POST /v1/files`: answers that are given first."""
    shutdown: dict[str, str] = field(default_factory=dict[str, str])
    page_size: int = 100
    is_oldest_first: bool = False
    """Lists begin with the oldest, as some compatible hosts have it."""
    has_circles: bool = False
    """Every page says that there is more, and the cursor is ignored."""
    loses_created: int = 0
    """So many creations make their job and then cut the line."""
    garbles_created: bool = False
    """A creation makes its job and answers with something else."""
    loses_unmade: int = 0
    """So many creations cut the line before there is a job."""
    processing: int = 0
    """So many looks at a file find it unread."""
    file_error: str | None = None
    on_look: Callable[[int], None] | None = None
    """Called with the number of each look at a job."""
    looks: int = 0
    on_create: Callable[[], None] | None = None
    """Called when a job was made, before the answer."""
    reply: Callable[[Json], str] | None = None
    """What a chat is answered, by the body of its request."""

    def event(self, message: str, *, level: str = "info", data: Json | None = None) -> None:
        """Add a line to the log."""
        number = len(self.events)
        self.events.append(
            {
                "id": f"ftevent-{number}",
                "object": "fine_tuning.job.event",
                "created_at": _BEGAN + number,
                "level": level,
                "message": message,
                "type": "metrics" if data else "message",
                "data": data,
            }
        )

    def new_file(self, name: str, size: int) -> Json:
        """Make a file."""
        file_id = f"file-{len(self.files)}"
        self.files[file_id] = {
            "id": file_id,
            "object": "file",
            "bytes": size,
            "created_at": _BEGAN,
            "filename": name,
            "purpose": "fine-tune",
            "status": "uploaded",
        }
        return self.files[file_id]


@asynccontextmanager
async def open_openai_server() -> AsyncGenerator[FakeOpenAI]:
    """Serve on loopback for as long as the block runs."""
    fake = FakeOpenAI()
    app = web.Application(client_max_size=2**28, middlewares=[_gate(fake)])
    _add_files(app, fake)
    _add_jobs(app, fake)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    fake.base_url = f"http://127.0.0.1:{port}/v1"
    try:
        yield fake
    finally:
        await runner.cleanup()


def _gate(fake: FakeOpenAI) -> Any:
    @web.middleware
    async def gate(request: web.Request, handler: Any) -> web.StreamResponse:
        place = f"{request.method} {request.path}"
        fake.requests.append(place)
        fake.keys.add(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if waiting := fake.refusals.get(place):
            said = waiting.pop(0)
            error = {"message": said.message, "type": said.code, "param": said.param}
            body = {"error": {**error, "code": said.code}}
            return _json(body, status=said.status, headers=said.headers)
        return await handler(request)

    return gate


def _add_files(app: web.Application, fake: FakeOpenAI) -> None:
    async def upload(request: web.Request) -> web.Response:
        form = await request.post()
        assert form["purpose"] == "fine-tune"
        sent: Any = form["file"]
        content = sent.file.read()
        file = fake.new_file(sent.filename, len(content))
        fake.contents[file["id"]] = content
        return _json(file)

    async def look(request: web.Request) -> web.Response:
        file = fake.files[request.match_info["id"]]
        if fake.processing > 0:
            fake.processing -= 1
        elif fake.file_error is not None:
            file |= {"status": "error", "status_details": fake.file_error}
        else:
            file["status"] = "processed"
        return _json(file)

    async def begin(request: web.Request) -> web.Response:
        body: Json = orjson.loads(await request.read())
        fake.contents["upload_1"] = b""
        return _json({"id": "upload_1", "object": "upload", "status": "pending", **body})

    async def part(request: web.Request) -> web.Response:
        form = await request.post()
        data: Any = form["data"]
        content = data.file.read()
        fake.parts.append(len(content))
        fake.contents["upload_1"] += content
        return _json({"id": f"part_{len(fake.parts)}", "object": "upload.part"})

    async def complete(request: web.Request) -> web.Response:
        body: Json = orjson.loads(await request.read())
        assert body["part_ids"] == [f"part_{n + 1}" for n in range(len(fake.parts))]
        file = fake.new_file("data.jsonl", len(fake.contents["upload_1"]))
        return _json({"id": "upload_1", "object": "upload", "status": "completed", "file": file})

    async def models(request: web.Request) -> web.Response:
        listed = [
            {"id": name, "object": "model", "created": 1, "owned_by": "a", "shutdown_date": ends}
            for name, ends in fake.shutdown.items()
        ]
        return _json({"object": "list", "data": listed})

    async def chat(request: web.Request) -> web.Response:
        body: Json = orjson.loads(await request.read())
        text = f"{body['model']} answers." if fake.reply is None else fake.reply(body)
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return _json({"id": "c", "object": "chat.completion", "choices": [choice]})

    app.router.add_post("/v1/chat/completions", chat)
    app.router.add_post("/v1/files", upload)
    app.router.add_get("/v1/files/{id}", look)
    app.router.add_post("/v1/uploads", begin)
    app.router.add_post("/v1/uploads/{id}/parts", part)
    app.router.add_post("/v1/uploads/{id}/complete", complete)
    app.router.add_get("/v1/models", models)


def _add_jobs(app: web.Application, fake: FakeOpenAI) -> None:
    async def create(request: web.Request) -> web.StreamResponse:
        if fake.loses_unmade > 0:
            fake.loses_unmade -= 1
            return _cut(request)
        body: Json = orjson.loads(await request.read())
        fake.bodies.append(body)
        job: Json = {
            "id": f"ftjob-{len(fake.jobs)}",
            "object": "fine_tuning.job",
            "created_at": _BEGAN,
            "status": "validating_files",
            "model": body["model"],
            "training_file": body["training_file"],
            "validation_file": body.get("validation_file"),
            "metadata": body.get("metadata"),
            "hyperparameters": {"n_epochs": "auto"},
            "organization_id": "org-1",
            "result_files": [],
            "seed": body.get("seed", 42),
            "error": {},
            "suffix": body.get("suffix"),
        }
        fake.jobs.append(job)
        if fake.on_create is not None:
            await anyio.to_thread.run_sync(fake.on_create)
        if fake.loses_created > 0:
            fake.loses_created -= 1
            return _cut(request)
        if fake.garbles_created:
            return web.Response(text="<html>", content_type="text/html")
        return _json(job)

    async def list_jobs(request: web.Request) -> web.Response:
        return _json(_page(fake, request, fake.jobs))

    async def look(request: web.Request) -> web.Response:
        job = _find(fake, request)
        if job is None:
            return _json({"error": {"message": "no such job"}}, status=404)
        state = fake.states.pop(0) if len(fake.states) > 1 else fake.states[0]
        if job["status"] != "cancelled":
            job |= state
        if job["status"] == "succeeded":
            end = job["id"].removeprefix("ftjob-").replace("0", "abc")
            name = f"ft:{job['model']}:org:{job['suffix'] or ''}:{end}"
            job |= {"fine_tuned_model": name, "trained_tokens": 4200, "finished_at": _BEGAN + 90}
        fake.looks += 1
        if fake.on_look is not None:
            await anyio.to_thread.run_sync(fake.on_look, fake.looks)
        return _json(job)

    async def cancel(request: web.Request) -> web.Response:
        job = _find(fake, request)
        assert job is not None
        job["status"] = "cancelled"
        return _json(job)

    async def events(request: web.Request) -> web.Response:
        return _json(_page(fake, request, fake.events))

    async def checkpoints(request: web.Request) -> web.Response:
        point = {
            "id": "ftckpt_1",
            "object": "fine_tuning.job.checkpoint",
            "created_at": _BEGAN,
            "fine_tuning_job_id": request.match_info["id"],
            "fine_tuned_model_checkpoint": "ft:a:org::abc:ckpt-step-10",
            "step_number": 10,
            "metrics": {"step": 10, "train_loss": 0.5},
        }
        return _json({"object": "list", "data": [point], "has_more": False})

    where = "/v1/fine_tuning/jobs"
    app.router.add_post(where, create)
    app.router.add_get(where, list_jobs)
    app.router.add_get(where + "/{id}", look)
    app.router.add_post(where + "/{id}/cancel", cancel)
    app.router.add_get(where + "/{id}/events", events)
    app.router.add_get(where + "/{id}/checkpoints", checkpoints)


def _find(fake: FakeOpenAI, request: web.Request) -> Json | None:
    return next((job for job in fake.jobs if job["id"] == request.match_info["id"]), None)


def _page(fake: FakeOpenAI, request: web.Request, items: list[Json]) -> Json:
    """Return a page, the newest first, as OpenAI does."""
    newest = items if fake.is_oldest_first else items[::-1]
    size = min(fake.page_size, int(request.query.get("limit", "20")))
    after = None if fake.has_circles else request.query.get("after")
    start = next((n + 1 for n, item in enumerate(newest) if item["id"] == after), 0)
    found = newest[start : start + size]
    has_more = fake.has_circles or start + size < len(newest)
    return {"object": "list", "data": found, "has_more": has_more}


def _cut(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response(status=500)


def _json(body: object, *, status: int = 200, headers: Json | None = None) -> web.Response:
    data = orjson.dumps(body)
    assert re.search(rb"sk-", data) is None or status == 401
    return web.Response(body=data, status=status, content_type="application/json", headers=headers)
