"""Who answers: the wiki's own model or its fallback, by how hard and how sure."""

from pathlib import Path
from typing import Any

import pytest

from swarm import Catalog, CompletionRequest, Host, add_completion, use_catalog
from swarm.errors import DeclarationError, ProviderOutputError
from swarm.testing import StubReply, StubServer
from tests.wiki.shop import wiki_only
from tests.wiki.tiny_gguf import write_tiny_gguf
from wiki import ModelRegistry, WikiAnswer, add_wiki, ask, smart_route
from wiki.calibration import Calibration, write_calibration

pytestmark = pytest.mark.anyio

_SURE, _UNSURE = (-0.05, -0.05), (-0.05, -1.5)
"""Means of 0.95 and 0.46."""


def cloud(request: CompletionRequest) -> str:
    """Answer as the paid model."""
    return f"cloud: {request.messages[-1].content}"


def down(request: CompletionRequest) -> str:
    """Answer as a paid model that cannot be reached."""
    raise ProviderOutputError("gone", provider="cloud")


_CLOUD, _DOWN = f"python:{__name__}:cloud", f"python:{__name__}:down"


def _local(url: str, **fields: Any) -> Catalog:
    catalog = wiki_only(completion="local", **fields)
    with use_catalog(catalog):
        add_completion(
            completion_name="local", model="vllm/small", base_url=url, max_retries=0, timeout=10
        )
    return catalog


async def _route(
    tmp_path: Path, reply: StubReply, question: str = "Price?", **fields: Any
) -> tuple[WikiAnswer, int]:
    """Return the answer, and how often the local model was asked."""
    async with (
        StubServer(lambda _: reply) as server,
        Host(catalog=_local(server.base_url, **fields), home=tmp_path, environment={}) as host,
    ):
        return await ask("pharma", question, host=host), len(server.requests)


@pytest.mark.requirement("S0-39")
async def test_simple_questions_stay_local_and_hard_ones_go_to_the_cloud(tmp_path: Path) -> None:
    fields = {"fallback": _CLOUD, "route": {"hard_words": ["pregnant"]}}
    easy, asked = await _route(tmp_path, StubReply("4.80"), "What does it cost?", **fields)
    assert (easy.text, easy.route, easy.is_fallback, asked) == ("4.80", "local", False, 1)
    for text in ("Compare both and calculate 12 * 4.", "May I take it when pregnant?"):
        hard, asked = await _route(tmp_path, StubReply("4.80"), text, **fields)
        assert (hard.text, hard.route, asked) == (f"cloud: {text}", "complex", 0)
        assert hard.is_fallback


@pytest.mark.requirement("S0-39")
async def test_a_hard_question_stays_local_while_the_cloud_is_down(tmp_path: Path) -> None:
    answer, _ = await _route(tmp_path, StubReply("4.80"), "Solve 3 * 4?", fallback=_DOWN, route={})
    assert (answer.text, answer.route) == ("4.80", "local")


@pytest.mark.requirement("S3-21")
@pytest.mark.parametrize(
    ("reply", "route"),
    [
        (StubReply("4.80", logprobs=_SURE), "local"),
        (StubReply("4.80", logprobs=_UNSURE), "unsure"),
        (StubReply("I am not sure, 4.80.", logprobs=_SURE), "unsure"),
        (StubReply("I don't know."), "unsure"),
        (StubReply("4.80"), "local"),
        (StubReply(""), "failed"),
        (StubReply(status=500), "failed"),
    ],
)
async def test_the_route_says_why_the_fallback_answered(
    tmp_path: Path, reply: StubReply, route: str
) -> None:
    answer, _ = await _route(tmp_path, reply, fallback=_CLOUD, min_confidence=0.6)
    assert answer.route == route
    assert answer.is_fallback == (route != "local")


@pytest.mark.requirement("S3-21")
async def test_smart_route_goes_by_its_threshold(tmp_path: Path) -> None:
    async with StubServer(lambda _: StubReply("4.80", logprobs=_UNSURE)) as server:
        catalog = _local(server.base_url, fallback=_CLOUD, min_confidence=0.99)
        async with Host(catalog=catalog, home=tmp_path, environment={}) as host:
            low = await smart_route("Price?", 0.4, host=host)
            high = await smart_route("Price?", 0.5, host=host, wiki_name="pharma")
            for threshold in (0.0, 1.5, -1.0):
                with pytest.raises(DeclarationError, match="between 0 and 1"):
                    await smart_route("Price?", threshold, host=host)
    assert (low.text, low.route) == ("4.80", "local")
    assert low.confidence == pytest.approx(0.46, abs=0.01)
    assert (high.text, high.route) == ("cloud: Price?", "unsure")


async def test_smart_route_says_what_it_lacks(tmp_path: Path) -> None:
    async with Host(catalog=wiki_only(model="offline"), home=tmp_path, environment={}) as host:
        with pytest.raises(DeclarationError, match="no `fallback`"):
            await smart_route("Price?", host=host)
    with use_catalog(wiki_only(model="offline")) as catalog:
        add_wiki(wiki_name="other", model="offline")
    async with Host(catalog=catalog, home=tmp_path, environment={}) as host:
        with pytest.raises(DeclarationError, match="there are: pharma, other"):
            await smart_route("Price?", host=host)


@pytest.mark.requirement("S3-21")
async def test_a_calibrated_version_is_judged_by_its_calibration(tmp_path: Path) -> None:
    registry = ModelRegistry(tmp_path / "models")
    version = registry.register("pharma", weights=write_tiny_gguf(tmp_path / "t.gguf"))
    registry.promote("pharma", 1)
    catalog = wiki_only(
        model="registry/pharma@live", fallback=_CLOUD, min_confidence=0.5, max_tokens=4
    )

    def at(rate: float) -> Calibration:
        steps = ((-5.0, rate), (-1.0, rate))
        return Calibration(
            method="isotonic", steps=steps, answers=50, right=rate, ece_before=0.5, ece_after=0.1
        )

    async with Host(catalog=catalog, home=tmp_path, environment={}) as host:
        raw = await ask("pharma", "hello", host=host)
        assert (raw.route, raw.is_calibrated) == ("unsure", False)
        write_calibration(version, at(0.9))
        sure = await ask("pharma", "hello", host=host)
        assert (sure.route, sure.confidence, sure.is_calibrated) == ("local", 0.9, True)
        write_calibration(version, at(0.2))
        assert (await ask("pharma", "hello", host=host)).route == "unsure"
