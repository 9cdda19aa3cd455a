"""A library that is not installed is one clear error, and loads only when a model needs it."""

import importlib
import sys

import pytest

from swarm.errors import DeclarationError, MissingExtraError
from tests.swarm.completions.asking import OpenModel

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("model", "extra"), [("cohere/m", "cohere"), ("litellm/openai/m", "litellm")]
)
async def test_a_missing_extra_names_its_command(
    open_model: OpenModel, monkeypatch: pytest.MonkeyPatch, model: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, extra, None)
    with pytest.raises(MissingExtraError) as caught:
        await open_model(model)
    assert str(caught.value).endswith(f"run: pip install 'wikiswarm[{extra}]'")
    assert (caught.value.package, caught.value.extra) == (extra, extra)


async def test_an_unknown_provider_is_answered_with_the_nearest(open_model: OpenModel) -> None:
    with pytest.raises(DeclarationError, match="did you mean 'openai'"):
        await open_model("opnai/m")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("python:no_such_module:answer", "no module named 'no_such_module'"),
        (f"python:{__name__}:anser", "no function 'anser'; did you mean 'answer'"),
        (f"python:{__name__}:number", "no function 'number'"),
    ],
)
async def test_a_function_that_is_not_there_is_reported(
    open_model: OpenModel, model: str, message: str
) -> None:
    with pytest.raises(DeclarationError, match=message):
        await open_model(model)


async def test_a_function_is_found_by_its_reference(open_model: OpenModel) -> None:
    assert (await open_model(f"python:{__name__}:answer")).model == f"python:{__name__}:answer"
    importlib.invalidate_caches()


number = 5


def answer(_: object) -> str:
    """Answer; a completion found by its name."""
    return "Hello."
