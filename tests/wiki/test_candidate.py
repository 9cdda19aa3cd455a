"""A candidate beside the live version: who is answered by it, and what its failures cost nobody."""

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from swarm import CompletionRequest, Host
from swarm.errors import ProviderOutputError, ValidationError
from tests.wiki.shop import wiki_only
from wiki import ModelRegistry, WikiAnswer, ask
from wiki.candidate import is_in_share

pytestmark = pytest.mark.anyio

_CLIENTS = [f"client-{number}" for number in range(1000)]


def old(request: CompletionRequest) -> str:
    """Answer as the live version."""
    return "old"


def new(request: CompletionRequest) -> str:
    """Answer as the candidate."""
    return "new"


def silent(request: CompletionRequest) -> str:
    """Say nothing."""
    return " "


def broken(request: CompletionRequest) -> str:
    """Fail."""
    raise ProviderOutputError("it crashed", provider="candidate")


async def hanging(request: CompletionRequest) -> str:
    """Never answer."""
    await anyio.sleep_forever()
    return ""


def paid(request: CompletionRequest) -> str:
    """Answer as the fallback."""
    return "paid"


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    """A live version of `pharma`, and a second one that is on trial."""
    registry = ModelRegistry(tmp_path / "models")
    for name in ("old", "new"):
        registry.register("pharma", remote=f"python:{__name__}:{name}")
    registry.promote("pharma", 1)
    registry.alias("pharma", "candidate", 2)
    return registry


def _host(registry: ModelRegistry, *, share: float = 0.3, **fields: Any) -> Host:
    model = "registry/pharma@live"
    catalog = wiki_only(**{"model": model, "candidate": {"share": share}, **fields})
    return Host(catalog=catalog, home=registry.folder.parent, environment={})


def _in_share(share: float = 0.3) -> str:
    return next(client for client in _CLIENTS if is_in_share("pharma", client, share))


def _on_trial(registry: ModelRegistry, name: str) -> None:
    version = registry.register("pharma", remote=f"python:{__name__}:{name}")
    registry.alias("pharma", "candidate", version.version)


@pytest.mark.requirement("S2-30")
def test_a_share_of_the_clients_is_chosen_and_a_larger_one_keeps_it() -> None:
    few, many = ({c for c in _CLIENTS if is_in_share("pharma", c, s)} for s in (0.1, 0.4))
    # Four standard deviations around what is asked for.
    assert 62 < len(few) < 138
    assert 338 < len(many) < 462
    assert few < many
    # Another wiki tries its candidate on other people.
    others = {client for client in _CLIENTS if is_in_share("bakery", client, 0.4)}
    assert 0.3 < len(many & others) / len(others) < 0.5


@pytest.mark.requirement("S2-30")
def test_another_process_chooses_the_same_clients() -> None:
    program = (
        "import sys\n"
        "from wiki.candidate import is_in_share\n"
        "print(*[is_in_share('pharma', client, 0.3) for client in sys.argv[1:]])\n"
    )
    command = [sys.executable, "-c", program, *_CLIENTS[:50]]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    assert ran.stdout.split() == [str(is_in_share("pharma", c, 0.3)) for c in _CLIENTS[:50]]


@pytest.mark.requirement("S2-30")
async def test_clients_in_the_share_are_answered_by_the_candidate(registry: ModelRegistry) -> None:
    async with _host(registry) as host:
        for client in _CLIENTS[:40]:
            answers = [await ask("pharma", "hello", client_id=client, host=host) for _ in range(2)]
            version = 2 if is_in_share("pharma", client, 0.3) else 1
            assert [answer.version for answer in answers] == [version] * 2
            assert answers[0].assigned == f"registry/pharma@{version}"
            assert answers[0].text == ("new" if version == 2 else "old")
        nobody = await ask("pharma", "hello", host=host)
    assert (nobody.text, nobody.assigned) == ("old", None)


@pytest.mark.requirement("S2-30")
async def test_a_trial_begins_and_ends_with_the_alias(registry: ModelRegistry) -> None:
    client = _in_share()

    async def answer(host: Host) -> WikiAnswer:
        return await ask("pharma", "hello", client_id=client, host=host)

    async with _host(registry) as host:
        assert (await answer(host)).text == "new"
        registry.unalias("pharma", "candidate")
        assert ((await answer(host)).text, (await answer(host)).assigned) == ("old", None)
        registry.alias("pharma", "candidate", 2)
        assert (await answer(host)).text == "new"
        registry.promote("pharma", 2)
        # What is live is on trial no longer, whatever the alias says.
        assert ((await answer(host)).text, (await answer(host)).assigned) == ("new", None)


@pytest.mark.requirement("S2-30")
@pytest.mark.parametrize(
    ("name", "reason"),
    [("broken", "it crashed"), ("silent", "its answer was empty"), ("absent", "absent")],
)
async def test_the_live_version_answers_for_a_candidate_that_fails(
    registry: ModelRegistry, name: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    _on_trial(registry, name)
    client = _in_share()
    with caplog.at_level(logging.ERROR, "wiki.candidate"):
        async with _host(registry) as host:
            answers = [await ask("pharma", "hello", client_id=client, host=host) for _ in range(3)]
    assert [answer.text for answer in answers] == ["old"] * 3
    assert {(answer.version, answer.assigned) for answer in answers} == {(1, "registry/pharma@3")}
    assert {answer.route for answer in answers} == {"local"}
    # Told once, not with every question.
    [record] = caplog.records
    assert "pharma@3" in record.getMessage() and reason in record.getMessage()


@pytest.mark.requirement("S2-30")
async def test_a_candidate_that_hangs_leaves_time_for_the_live_version(
    registry: ModelRegistry,
) -> None:
    _on_trial(registry, "hanging")
    for fallback in (None, f"python:{__name__}:paid"):
        async with _host(registry, timeout=1.0, fallback=fallback) as host:
            answer = await ask("pharma", "hello", client_id=_in_share(), host=host)
        assert (answer.text, answer.is_fallback) == ("old", False)


@pytest.mark.requirement("S2-30", "S3-26")
async def test_a_candidate_whose_weights_changed_is_not_loaded(
    registry: ModelRegistry, tiny_gguf: Path, caplog: pytest.LogCaptureFixture
) -> None:
    version = registry.register("pharma", weights=tiny_gguf)
    registry.alias("pharma", "candidate", version.version)
    assert version.weights is not None
    version.weights.chmod(0o644)
    with version.weights.open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)[0]
        file.seek(-1, 2)
        file.write(bytes([last ^ 1]))
    async with _host(registry) as host:
        answer = await ask("pharma", "hello", client_id=_in_share(), host=host)
    assert answer.text == "old"
    assert "has other content than was registered" in caplog.text


@pytest.mark.requirement("S2-30", "S3-26")
async def test_a_damaged_candidate_is_told_and_costs_nobody_an_answer(
    registry: ModelRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = registry.folder / "pharma" / "2" / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_text("{}", encoding="utf-8")
    outside = next(c for c in _CLIENTS if not is_in_share("pharma", c, 0.3))
    async with _host(registry) as host:
        for client in (_in_share(), outside, _in_share()):
            answer = await ask("pharma", "hello", client_id=client, host=host)
            assert (answer.text, answer.version) == ("old", 1)
    [record] = [record for record in caplog.records if record.name == "wiki.candidate"]
    assert "is no manifest" in record.getMessage()


async def test_the_fallback_answers_when_both_versions_fail(registry: ModelRegistry) -> None:
    _on_trial(registry, "silent")
    fallback = f"python:{__name__}:paid"
    live = registry.register("pharma", remote=f"python:{__name__}:broken")
    registry.promote("pharma", live.version)
    async with _host(registry, fallback=fallback) as host:
        answer = await ask("pharma", "hello", client_id=_in_share(), host=host)
    assert (answer.text, answer.route, answer.is_fallback) == ("paid", "failed", True)
    # It counts for the version whose turn it was.
    assert answer.assigned == "registry/pharma@3"


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "registry/pharma@2"},
        {"model": "registry/pharma@candidate"},
        {"model": "offline"},
        {"model": None, "completion": "other"},
        {"share": 0},
        {"share": 1},
    ],
)
def test_a_candidate_needs_a_live_version_and_a_share(fields: dict[str, Any]) -> None:
    given = {"model": "registry/pharma@live", **fields}
    share = given.pop("share", 0.5)
    with pytest.raises(ValidationError, match=r"candidate|share"):
        wiki_only(candidate={"share": share}, **given)
