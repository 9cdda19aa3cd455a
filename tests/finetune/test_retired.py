"""Models that end: found wherever a declaration names them, and refused before money is spent."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from pydantic import Field

from finetune.retired import refuse_retired, retired_models
from finetune.train.hosted.errors import RetiredError
from swarm import Catalog, Kind, Spec, add_completion, use_catalog
from swarm.advisor import add_advisor
from swarm.memory import add_embedding
from wiki import ModelRegistry, add_wiki


class _LoopSpec(Spec):
    loop_name: str
    judge: str | None = None
    training: Mapping[str, str] = Field(default_factory=dict[str, str])


_LOOPS = Kind("loop", _LoopSpec, "loop_name")


def test_models_are_found_in_every_field_of_every_kind(tmp_path: Path) -> None:
    registry = ModelRegistry(tmp_path / "models")
    registry.register("pharma", remote="openai/ft:gpt-4o-mini-2024-07-18:shop::a")
    registry.promote("pharma", 1)
    with use_catalog(Catalog()) as catalog:
        add_completion(completion_name="new", model="openai/gpt-5", fallback=["openai/gpt-4.1"])
        add_completion(completion_name="fine", model="litellm/gpt-5", fallback="ollama/gpt-4")
        add_completion(completion_name="through", model="litellm/openai/gpt-4-0613")
        add_wiki(wiki_name="pharma", model="registry/pharma@live", fallback="cohere/command-r")
        add_wiki(wiki_name="absent", model="registry/none@live")
        add_advisor(advisor_name="adviser", model="openai/o4-mini")
        add_embedding(embedding_name="own", model="openai/text-embedding-3-small")
    catalog.registry(_LOOPS).add(
        _LoopSpec(
            loop_name="nightly",
            judge="openai/gpt-4o",
            training={"backend": "openai", "model": "gpt-4.1-nano"},
        )
    )
    found = {
        (one.where, one.model): one.retirement.date for one in retired_models(catalog, tmp_path)
    }
    early, late = date(2026, 10, 23), date(2027, 1, 14)
    assert found == {
        ("completion new", "openai/gpt-4.1"): late,
        ("completion through", "litellm/openai/gpt-4-0613"): early,
        ("wiki pharma", "registry/pharma@live (openai/ft:gpt-4o-mini-2024-07-18:shop::a)"): late,
        ("wiki pharma", "cohere/command-r"): date(2025, 9, 15),
        ("advisor adviser", "openai/o4-mini"): early,
        ("loop nightly", "openai/gpt-4o"): late,
        ("loop nightly", "openai/gpt-4.1-nano"): early,
    }
    without = {one.where for one in retired_models(catalog)}
    assert "wiki pharma" in without and len(retired_models(catalog)) == 6


def test_a_model_that_ends_soon_is_refused_with_its_date(tmp_path: Path) -> None:
    registry = ModelRegistry(tmp_path / "models")
    registry.register("pharma", remote="openai/gpt-4o-mini")
    refuse_retired(["openai/gpt-5", "gguf/shop.gguf", "registry/pharma@1"])
    day = date(2026, 11, 1)
    with pytest.raises(RetiredError, match="openai/gpt-4o: retires 2027-01-14") as refused:
        refuse_retired(["openai/gpt-5", "openai/gpt-4o"], today=day)
    assert (refused.value.ends, refused.value.code) == (date(2027, 1, 14), "retired")
    assert "wikiswarm doctor" in str(refused.value)
    refuse_retired(["openai/gpt-4o"], today=day, days=30)
    with pytest.raises(RetiredError, match="registry/pharma@1"):
        refuse_retired(["registry/pharma@1"], home=tmp_path, today=day)
