"""Embeddings: which one is taken, that they mean something, and what a bad function leads to."""

import importlib.util
from array import array
from collections.abc import Iterable

import pytest

from swarm.errors import DeclarationError, MissingExtraError, ProviderOutputError
from wiki.documents.embedding import HashEmbedding, WordllamaEmbedding, open_embedding, pack


def lengths(texts: list[str]) -> Iterable[Iterable[float]]:
    """Return a vector of two numbers for each text."""
    return [[len(text), 1.0] for text in texts]


def too_few(texts: list[str]) -> Iterable[Iterable[float]]:
    """Forget a text."""
    return [[1.0] for _ in texts[1:]]


def endless(texts: list[str]) -> Iterable[Iterable[float]]:
    """Return what is no number."""
    return [[float("nan")] for _ in texts]


def failing(texts: list[str]) -> Iterable[Iterable[float]]:
    """Fail."""
    raise RuntimeError("out of order")


def _numbers(vector: bytes) -> list[float]:
    numbers = array("f")
    numbers.frombytes(vector)
    return numbers.tolist()


def _cosine(one: bytes, other: bytes) -> float:
    return sum(a * b for a, b in zip(_numbers(one), _numbers(other), strict=True))


def test_the_default_is_wordllama_and_hashes_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_embedding(None).name == "wordllama"
    find_spec = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> object:
        return None if name == "wordllama" else find_spec(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    assert open_embedding(None).name == "hash"


def test_wordllama_by_name_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "wordllama", None)
    with pytest.raises(MissingExtraError, match="embeddings"):
        open_embedding("wordllama")


@pytest.mark.parametrize("kind", [HashEmbedding, WordllamaEmbedding])
def test_near_texts_are_nearer_and_vectors_repeat(
    kind: type[HashEmbedding | WordllamaEmbedding],
) -> None:
    embedding = kind()
    texts = ["How do I prune roses?", "Pruning a rose", "The parcel costs 4.90"]
    question, near, far = embedding.encode(texts)
    assert _cosine(question, near) > embedding.floor > _cosine(question, far)
    assert _cosine(question, question) == pytest.approx(1, abs=1e-5)
    assert embedding.encode(texts) == [question, near, far]
    assert embedding.encode([]) == []


def test_hashes_ignore_case_and_forms_of_letters() -> None:
    one, other = HashEmbedding().encode(["Crème ﬁne", "crème FINE"])
    assert one == other


def test_a_text_without_words_has_no_direction() -> None:
    [vector] = HashEmbedding().encode(["?!"])
    assert not any(vector)


def test_a_function_embeds() -> None:
    embedding = open_embedding(f"python:{__name__}:lengths")
    assert embedding.encode(["abc", ""]) == [pack([3, 1]), pack([0, 1])]


@pytest.mark.parametrize(
    ("function", "reason"),
    [("too_few", "2 texts gave 1 vectors"), ("endless", "not finite"), ("failing", "out of order")],
)
def test_a_bad_function_is_a_provider_error(function: str, reason: str) -> None:
    embedding = open_embedding(f"python:{__name__}:{function}")
    with pytest.raises(ProviderOutputError, match=reason):
        embedding.encode(["a", "b"])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("wordlama", "did you mean 'wordllama'"),
        ("openai/text-embedding-3-small", "write wordllama, hash or python:module:function"),
        ("python:no_such_module_here:f", "No module named"),
        (f"python:{__name__}:nothing", "has no attribute 'nothing'"),
    ],
)
def test_an_unknown_embedding_is_refused(name: str, reason: str) -> None:
    with pytest.raises(DeclarationError, match=reason):
        open_embedding(name)
