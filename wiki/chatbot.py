"""One model, asked by its id: no agents, no tools, no journal.

For trying a fine-tuned model out. A wiki with a fallback, examples and citations is `add_wiki`.
"""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from swarm import Catalog, Completion, CompletionRequest, CompletionSpec, Host
from swarm.errors import DeclarationError
from swarm.messages import read_message

__all__ = ["Chatbot"]


class Chatbot:
    """A small client of one model.

    ```
    async with Chatbot("ft:gpt-4.1-mini:shop::abc") as bot:
        print(await bot.chat("When do you open?"))
    ```
    """

    def __init__(
        self,
        model_id: str,
        *,
        system: str | None = None,
        base_url: str | None = None,
        api_key_env: str | None = None,
        home: Path | None = None,
        remembers: bool = True,
    ) -> None:
        """Name the model.

        Args:
            model_id: A provider's id such as `ft:gpt-4.1-mini:shop::abc`, which is OpenAI's, or a
                model reference such as `registry/shop@live`.
            system: What the model is told first.
            base_url: The host's address, where it is not the provider's own.
            api_key_env: The variable with the key for it.
            home: The folder of the state, with the model registry.
            remembers: Whether a question is asked together with those before it.
        """
        self.model_id = model_id
        self._remembers = remembers
        self._before: list[Mapping[str, str]] = []
        if system is not None:
            self._before.append({"role": "system", "content": system})
        # An id may hold slashes of its own behind the first colon, a reference before it.
        has_provider = "/" in model_id.partition(":")[0]
        self._spec = CompletionSpec(
            completion_name="chatbot",
            model=model_id if has_provider else f"openai/{model_id}",
            base_url=base_url,
            api_key_env=api_key_env,
        )
        self._host = Host(catalog=Catalog(), home=home)
        self._completion: Completion | None = None

    async def __aenter__(self) -> "Chatbot":
        """Open the model."""
        await self._host.__aenter__()
        try:
            self._completion = await self._host.completion(self._spec)
        except BaseException:
            await self._host.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self._completion = None
        await self._host.__aexit__(kind, error, trace)

    async def chat(self, message: str) -> str:
        """Return the model's answer.

        Raises:
            ProviderError: The model failed; the message is then not remembered.
            DeclarationError: The chatbot is not open.
        """
        if self._completion is None:
            raise DeclarationError("open the chatbot first: async with Chatbot(...) as bot")
        asked = [*self._before, {"role": "user", "content": message}]
        request = CompletionRequest(messages=[read_message(one) for one in asked])
        answer = (await self._completion.complete(request)).message.content
        if self._remembers:
            self._before = [*asked, {"role": "assistant", "content": answer}]
        return answer
