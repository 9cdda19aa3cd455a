"""A chatbot asks one model by its id, whatever characters the id holds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from swarm.errors import DeclarationError, ProviderRefusedError
from swarm.testing import StubReply, StubServer
from wiki import Chatbot, ModelRegistry

pytestmark = pytest.mark.anyio

MODEL = "ft:gpt-4.1-mini:org:shop:abc"


@pytest.mark.requirement("S1-18", "S1-16", "S2-26")
async def test_a_fine_tuned_model_answers_by_its_id(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Mapping[str, Any]] = []

    def reply(request: Mapping[str, Any]) -> StubReply:
        seen.append(request)
        asked = request["messages"][-1]["content"]
        return StubReply("no", status=400) if asked == "?" else StubReply(f"You asked: {asked}")

    monkeypatch.setenv("SHOP_KEY", "sk-of-a-test")
    async with StubServer(reply, key="sk-of-a-test") as server:
        where: dict[str, Any] = {"base_url": server.base_url, "api_key_env": "SHOP_KEY"}
        async with Chatbot(MODEL, system="Be short.", home=home, **where) as bot:
            assert await bot.chat("When?") == "You asked: When?"
            with pytest.raises(ProviderRefusedError):
                await bot.chat("?")
            assert await bot.chat("Where?") == "You asked: Where?"
        assert {request["model"] for request in seen} == {MODEL}
        told = [message["content"] for message in seen[-1]["messages"]]
        assert told == ["Be short.", "When?", "You asked: When?", "Where?"]

        registry = ModelRegistry(home / "models")
        # A version that was trained at another host knows where that is.
        registry.register("shop", remote=f"openai/{MODEL}", training=where)
        registry.promote("shop", 1)
        async with Chatbot("registry/shop@live", home=home, remembers=False) as bot:
            await bot.chat("One?")
            await bot.chat("Two?")
        assert seen[-1]["model"] == MODEL
        assert len(seen[-1]["messages"]) == 1
    with pytest.raises(DeclarationError, match="open the chatbot first"):
        await bot.chat("Closed?")
