"""The wire format of embeddings: what a server answers, as one vector for each text.

Pure functions without any network. Source: the API reference of `POST /v1/embeddings`.
"""

from collections.abc import Mapping
from typing import Any, cast

from swarm.errors import ProviderOutputError

__all__ = ["read_embeddings"]


def read_embeddings(answer: Mapping[str, Any], count: int, provider: str) -> list[list[float]]:
    """Return the vectors of an answer, in the order of the texts.

    Raises:
        ProviderOutputError: They are not what the API promises.
    """
    data = answer.get("data")
    if not isinstance(data, list):
        raise ProviderOutputError("the answer has no list of embeddings", provider=provider)
    vectors: dict[int, list[float]] = {}
    for place, item in enumerate(cast("list[object]", data)):
        fields: Mapping[str, Any] = (
            cast("Mapping[str, Any]", item) if isinstance(item, dict) else {}
        )
        numbers, index = fields.get("embedding"), fields.get("index", place)
        if not isinstance(numbers, list) or not isinstance(index, int):
            raise ProviderOutputError("an embedding is no list of numbers", provider=provider)
        vectors[index] = cast("list[float]", numbers)  # each number is checked where it is kept
    if sorted(vectors) != list(range(count)):
        text = f"{len(vectors)} embeddings for {count} texts"
        raise ProviderOutputError(text, provider=provider)
    return [vectors[index] for index in range(count)]
