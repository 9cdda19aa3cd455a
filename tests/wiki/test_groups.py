"""Models that only workers of certain groups may load."""

from pathlib import Path

import pytest

from swarm import Host
from swarm.errors import ProviderError, ValidationError
from tests.wiki.shop import wiki_only
from wiki import ModelRegistry, ask
from wiki.errors import OutsideGroupsError
from wiki.groups import check_groups, own_groups
from wiki.registry import CorruptedVersionError
from wiki.serving import serve_model

pytestmark = pytest.mark.anyio


@pytest.fixture
def home(tmp_path: Path, tiny_gguf: Path) -> Path:
    """A home whose live `pharma` may run in two groups only."""
    registry = ModelRegistry(tmp_path / "models")
    registry.register("pharma", weights=tiny_gguf, groups=["gpu-us", "gpu-eu", "gpu-eu"])
    registry.promote("pharma", 1)
    return tmp_path


def test_a_process_names_its_groups() -> None:
    assert own_groups({}) == own_groups({"WIKISWARM_GROUPS": " ,"}) == frozenset()
    assert own_groups({"WIKISWARM_GROUPS": "gpu-eu, canary,"}) == {"gpu-eu", "canary"}
    check_groups([], {}, "m")
    check_groups(["canary", "other"], {"WIKISWARM_GROUPS": "gpu-eu,canary"}, "m")
    with pytest.raises(OutsideGroupsError):
        # Names are compared as a whole, and by their case.
        check_groups(["gpu"], {"WIKISWARM_GROUPS": "gpu-eu,GPU"}, "m")


@pytest.mark.requirement("S0-45")
async def test_a_version_is_loaded_by_workers_of_its_groups_only(home: Path) -> None:
    version = ModelRegistry(home / "models").verify("pharma", 1)
    assert version.manifest.groups == ("gpu-eu", "gpu-us")
    catalog = wiki_only(model="registry/pharma@live", max_tokens=4)
    for own in ({}, {"WIKISWARM_GROUPS": "cpu"}):
        async with Host(catalog=catalog, home=home, environment=own) as host:
            with pytest.raises(OutsideGroupsError) as caught:
                await ask("pharma", "hello", host=host)
        text = str(caught.value)
        assert "registry/pharma@1" in text and "gpu-eu or gpu-us" in text
        assert "WIKISWARM_GROUPS" in text and ("cpu" in text) == bool(own)
        assert caught.value.groups == ("gpu-eu", "gpu-us")
    # Nothing was started that had to be stopped.
    assert not (home / "logs").exists()
    environment = {"WIKISWARM_GROUPS": "gpu-eu"}
    async with Host(catalog=catalog, home=home, environment=environment) as host:
        assert (await ask("pharma", "hello", host=host)).version == 1


@pytest.mark.requirement("S0-45")
async def test_outside_of_its_groups_the_fallback_answers(home: Path) -> None:
    catalog = wiki_only(model="registry/pharma@live", fallback=f"python:{__name__}:elsewhere")
    async with Host(catalog=catalog, home=home, environment={}) as host:
        answer = await ask("pharma", "hello", host=host)
    assert (answer.text, answer.is_fallback, answer.route) == ("elsewhere", True, "failed")


def elsewhere(request: object) -> str:
    """Answer as a model that every process may ask."""
    return "elsewhere"


@pytest.mark.requirement("S0-45")
async def test_a_wiki_limits_whatever_model_it_names(tmp_path: Path) -> None:
    catalog = wiki_only(model=f"python:{__name__}:elsewhere", groups=["gpu-eu"])
    async with Host(catalog=catalog, home=tmp_path, environment={}) as host:
        with pytest.raises(ProviderError, match="wiki pharma: only workers of the group gpu-eu"):
            await ask("pharma", "hello", host=host)
    environment = {"WIKISWARM_GROUPS": "gpu-eu"}
    async with Host(catalog=catalog, home=tmp_path, environment=environment) as host:
        assert (await ask("pharma", "hello", host=host)).text == "elsewhere"


@pytest.mark.requirement("S0-45")
async def test_what_is_limited_is_not_served_elsewhere_either(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WIKISWARM_GROUPS", raising=False)
    with pytest.raises(OutsideGroupsError):
        async with serve_model("registry/pharma@live", home=home, port=0):
            raise AssertionError("it was served")


async def test_groups_cannot_be_taken_out_of_a_manifest(home: Path) -> None:
    path = home / "models" / "pharma" / "1" / "manifest.json"
    path.chmod(0o644)
    path.write_text(path.read_text("utf-8").replace('"gpu-eu"', '"cpu"'), encoding="utf-8")
    catalog = wiki_only(model="registry/pharma@live")
    environment = {"WIKISWARM_GROUPS": "cpu"}
    async with Host(catalog=catalog, home=home, environment=environment) as host:
        with pytest.raises(CorruptedVersionError, match="was changed"):
            await ask("pharma", "hello", host=host)


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "offline", "groups": ["gpu eu"]},
        {"model": "offline", "groups": ["a,b"]},
        {"get_chat": str.upper, "groups": ["gpu-eu"]},
    ],
)
def test_groups_have_plain_names_and_a_model(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="groups"):
        wiki_only(**fields)
