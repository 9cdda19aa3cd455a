"""Ollama: makes a model of a Modelfile, and asks it one question to see that it answers."""

import re
import shutil
from pathlib import Path
from typing import Any

import anyio

from finetune.package.converter import PackagingError
from swarm.errors import DataError, ProviderDownError, ProviderError, SetupError

__all__ = ["OLLAMA_URL", "ask_ollama", "create_in_ollama"]

OLLAMA_URL = "http://127.0.0.1:11434"
"""Where `ollama serve` listens."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)?(:[A-Za-z0-9._-]+)?")
_TAIL_LINES = 12
_ANSWER_SECONDS = 120


async def create_in_ollama(name: str, modelfile: Path, *, program: str = "ollama") -> None:
    """Run `ollama create NAME -f Modelfile`.

    Args:
        name: The model's name in Ollama, such as `pharma` or `pharma:q4`.
        modelfile: The Modelfile; what it names stands beside it.
        program: Ollama's program.

    Raises:
        DataError: The name may not be used.
        SetupError: Ollama is not installed.
        PackagingError: Ollama refused the model; its last lines are in the message.
    """
    if not _NAME.fullmatch(name):
        raise DataError(f"{name[:80]!r} is no name of an Ollama model; use a-z, 0-9, '.', '_', '-'")
    found = shutil.which(program)
    if found is None:
        raise SetupError(
            f"{program} is not installed; install Ollama, then run: "
            f"ollama create {name} -f {modelfile}"
        )
    # In the Modelfile's folder: its FROM is a path from there.
    command = [found, "create", name, "-f", modelfile.name]
    done = await anyio.run_process(command, check=False, cwd=modelfile.parent)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).decode("utf-8", "replace").splitlines()
        shown = "".join(f"\n  | {line}" for line in lines[-_TAIL_LINES:])
        raise PackagingError(f"ollama create ended with code {done.returncode}:{shown}")


async def ask_ollama(name: str, prompt: str, *, base_url: str = OLLAMA_URL) -> str:
    """Return what a model in Ollama answers, by `/api/generate`.

    Args:
        name: The model's name in Ollama.
        prompt: What to ask.
        base_url: Where Ollama listens.

    Raises:
        ProviderDownError: Nothing listens there, or it does not answer in time.
        ProviderError: Ollama refused, or answered something else.
    """
    import aiohttp

    body = {"model": name, "prompt": prompt, "stream": False}
    timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(f"{base_url.rstrip('/')}/api/generate", json=body) as answer,
        ):
            status, data = answer.status, await _json(answer)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ProviderDownError(
            f"no answer from Ollama at {base_url}; start it with: ollama serve", provider="ollama"
        ) from error
    text = data.get("response")
    if status != 200 or not isinstance(text, str):
        reason = str(data.get("error") or "it is no answer of /api/generate")[:300]
        raise ProviderError(
            f"Ollama answered {status} for {name}: {reason}", provider="ollama", status=status
        )
    return text


async def _json(answer: Any) -> dict[str, Any]:
    try:
        return dict(await answer.json(content_type=None))
    except (TypeError, ValueError):  # no JSON, or no object
        return {}
