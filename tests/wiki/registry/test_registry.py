"""The model registry: what is kept, what its aliases promise, and what no damage gets past."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue, ValidationError

from swarm.errors import DataError, DeclarationError, InvalidIdError, StoreError, UnknownNameError
from wiki.registry import CorruptedVersionError, ModelRegistry, ModelVersion, NotPromotedError

_DATASET = "ab" * 32


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    return ModelRegistry(tmp_path / "models")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "trained.gguf"
    path.write_bytes(b"GGUF" + bytes(range(256)))
    return path


def _register(registry: ModelRegistry, weights: Path, name: str = "pharma") -> ModelVersion:
    return registry.register(
        name,
        weights=weights,
        base_model="scratch/llama-2m",
        dataset_sha256=_DATASET,
        training={"epochs": 20, "seed": 7, "learning_rate": 2e-3},
        metrics={"exact_match": 0.975},
        licence="mit",
    )


def _tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.requirement("S3-20", "S1-09")
def test_a_version_is_kept_with_all_that_made_it(
    registry: ModelRegistry, weights: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.md"
    report.write_text("# good", encoding="utf-8")
    version = registry.register(
        "pharma",
        weights=weights,
        base_model="base",
        dataset_sha256=_DATASET,
        training={"epochs": 20},
        metrics={"exact_match": 1.0},
        licence="apache-2.0",
        files={"report.md": report},
        notes={"seconds": 28.1},
    )
    assert str(version) == "pharma@1"
    assert version.weights is not None
    assert version.weights.read_bytes() == weights.read_bytes()
    assert (version.path / "report.md").read_text(encoding="utf-8") == "# good"
    assert [file.name for file in version.manifest.files] == ["report.md", "weights.gguf"]
    assert version.manifest.metrics == {"exact_match": 1.0}
    assert registry.get("pharma@1") == version == registry.verify("pharma", 1)


def test_versions_count_up_and_the_source_may_change(
    registry: ModelRegistry, weights: Path
) -> None:
    first = _register(registry, weights)
    content = weights.read_bytes()
    weights.write_bytes(b"GGUF other")
    second = _register(registry, weights)
    assert (first.version, second.version) == (1, 2)
    assert first.weights is not None
    assert first.weights.read_bytes() == content
    assert registry.verify("pharma", 1) == first
    assert [str(version) for version in registry.list()] == ["pharma@1", "pharma@2"]


def test_equal_inputs_have_an_equal_hash(registry: ModelRegistry, weights: Path) -> None:
    first, again = _register(registry, weights), _register(registry, weights)
    elsewhere = weights.with_name("moved.gguf")
    shutil.copy(weights, elsewhere)
    moved = registry.register(
        "pharma",
        weights=elsewhere,
        base_model="scratch/llama-2m",
        dataset_sha256=_DATASET,
        training={"learning_rate": 2e-3, "seed": 7, "epochs": 20},
        metrics={"exact_match": 0.975},
        licence="mit",
        notes={"seconds": 30},
    )
    assert first.manifest.sha256 == again.manifest.sha256 == moved.manifest.sha256
    weights.write_bytes(b"GGUF other")
    assert _register(registry, weights).manifest.sha256 != first.manifest.sha256
    elsewhere.write_bytes((first.weights or elsewhere).read_bytes())
    assert _register(registry, elsewhere, "other").manifest.sha256 != first.manifest.sha256


def test_the_hash_does_not_depend_on_the_machine(registry: ModelRegistry, weights: Path) -> None:
    # Pinned: a change of what is hashed would make every model in use look like another one.
    assert _register(registry, weights).manifest.sha256 == (
        "b1752be534b9d19701b8f2e8839a8df7ddf7d732fc1b70d5fc9ec20d49c94cbb"
    )


def test_a_hosted_model_is_a_version_too(registry: ModelRegistry) -> None:
    version = registry.register("pharma", remote="openai/ft:gpt-4.1-mini:shop::abc")
    assert version.remote == "openai/ft:gpt-4.1-mini:shop::abc"
    assert version.weights is None
    assert registry.verify("pharma", 1) == version
    with pytest.raises(DeclarationError, match="is hosted as openai/ft:"):
        registry.path_of_weights("pharma@1")


def test_listing_is_by_name_and_number(registry: ModelRegistry, weights: Path) -> None:
    assert registry.list() == ()
    for _ in range(11):
        _register(registry, weights)
    _register(registry, weights, "bakery")
    registry.promote("pharma", 10)
    listed = registry.list()
    assert [str(version) for version in listed[:3]] == ["bakery@1", "pharma@1", "pharma@2"]
    assert [version.version for version in registry.list("pharma")] == list(range(1, 12))
    assert [str(version) for version in listed if version.aliases] == ["pharma@10"]
    with pytest.raises(UnknownNameError, match="did you mean 'pharma'"):
        registry.list("farma")


@pytest.mark.requirement("S3-20")
def test_a_candidate_that_was_promoted_is_on_trial_no_more(
    registry: ModelRegistry, weights: Path
) -> None:
    for _ in range(2):
        _register(registry, weights)
    registry.promote("pharma", 1, expected=0)
    registry.alias("pharma", "candidate", 2)
    registry.promote("pharma", 2, expected=1)
    registry.rollback("pharma")
    assert registry.get("pharma@live").version == 1
    with pytest.raises(UnknownNameError):
        registry.get("pharma@candidate")
    assert [event.action for event in registry.history("pharma")] == [
        "promote", "alias", "unalias", "promote", "rollback",
    ]  # fmt: skip


@pytest.mark.requirement("S3-20")
def test_promote_and_roll_back(registry: ModelRegistry, weights: Path) -> None:
    for _ in range(3):
        _register(registry, weights)
    first = registry.promote("pharma", 1, by="ann")
    second = registry.promote("pharma", 3, by="ann")
    assert (first.previous, second.previous, second.version) == (None, 1, 3)
    assert registry.get("pharma").version == 3
    assert registry.get("pharma@previous").version == 1
    back = registry.rollback("pharma", by="bob")
    assert (back.action, back.version, back.previous) == ("rollback", 1, 3)
    assert registry.get("pharma@live").aliases == ("live",)
    assert registry.get("pharma@previous").version == 3
    registry.rollback("pharma")
    assert registry.get("pharma@live").version == 3
    with pytest.raises(NotPromotedError, match="pharma@3 is live, and not pharma@1 any more"):
        registry.rollback("pharma", expected=1)
    with pytest.raises(NotPromotedError, match="pharma@3 is live, and not none any more"):
        registry.promote("pharma", 2, expected=0)
    assert registry.get("pharma@live").version == 3
    assert [(event.action, event.by) for event in registry.history("pharma")][:3] == [
        ("promote", "ann"),
        ("promote", "ann"),
        ("rollback", "bob"),
    ]


def test_promoting_the_live_version_changes_nothing(registry: ModelRegistry, weights: Path) -> None:
    for _ in range(2):
        _register(registry, weights)
    registry.promote("pharma", 1)
    event = registry.promote("pharma", 2)
    before = _tree(registry.folder)
    assert registry.promote("pharma", 2) == event
    assert _tree(registry.folder) == before


def test_a_question_finishes_on_the_version_it_started_with(
    registry: ModelRegistry, weights: Path
) -> None:
    _register(registry, weights)
    registry.promote("pharma", 1)
    with registry.path_of_weights("pharma@live").open("rb") as in_use:
        begin = in_use.read(10)
        weights.write_bytes(b"GGUF other")
        _register(registry, weights)
        registry.promote("pharma", 2)
        registry.rollback("pharma")
        registry.promote("pharma", 2)
        assert begin + in_use.read() == b"GGUF" + bytes(range(256))
    assert registry.verify("pharma", 1).version == 1


def test_nothing_is_live_until_it_is_promoted(registry: ModelRegistry, weights: Path) -> None:
    for _ in range(2):
        _register(registry, weights)
    with pytest.raises(NotPromotedError) as caught:
        registry.get("pharma")
    assert str(caught.value) == (
        "no live version of 'pharma'; promote one: wikiswarm models promote pharma@2"
    )
    with pytest.raises(NotPromotedError, match="live before"):
        registry.rollback("pharma")
    registry.promote("pharma", 1)
    with pytest.raises(NotPromotedError, match="live before"):
        registry.get("pharma@previous")


def test_a_candidate_is_an_alias(registry: ModelRegistry, weights: Path) -> None:
    for _ in range(2):
        _register(registry, weights)
    registry.promote("pharma", 2)
    registry.alias("pharma", "candidate", 2)
    assert registry.get("pharma@candidate").aliases == ("candidate", "live")
    with pytest.raises(DeclarationError, match="promote a version instead"):
        registry.alias("pharma", "live", 1)
    with pytest.raises(DeclarationError):
        registry.alias("pharma", "7", 1)
    with pytest.raises(InvalidIdError):
        registry.alias("pharma", "../live", 1)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("farma", "no model named 'farma'; did you mean 'pharma'"),
        ("pharma@2", "no model version named 'pharma@2'; did you mean 'pharma@1'"),
        ("pharma@kandidate", "did you mean 'pharma@candidate'"),
    ],
)
def test_unknown_names_are_errors_with_the_nearest(
    registry: ModelRegistry, weights: Path, reference: str, message: str
) -> None:
    _register(registry, weights)
    registry.alias("pharma", "candidate", 1)
    with pytest.raises(UnknownNameError, match=message):
        registry.get(reference)


def test_what_does_not_exist_cannot_be_promoted(registry: ModelRegistry, weights: Path) -> None:
    _register(registry, weights)
    for version in (0, 2, -1):
        with pytest.raises(UnknownNameError):
            registry.promote("pharma", version)
    with pytest.raises(UnknownNameError):
        registry.rollback("farma")
    assert registry.history("pharma") == ()


def test_versions_are_frozen(registry: ModelRegistry, weights: Path) -> None:
    version = _register(registry, weights)
    with pytest.raises(ValidationError, match="frozen"):
        version.manifest.licence = "other"
    assert version.weights is not None
    assert version.weights.stat().st_mode & 0o222 == 0


def _change_byte(version: Path) -> Path:
    path = version / "weights.gguf"
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    return path


def _cut(version: Path) -> Path:
    path = version / "weights.gguf"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])
    return path


def _remove(version: Path) -> Path:
    (version / "weights.gguf").unlink()
    return version / "weights.gguf"


def _add(version: Path) -> Path:
    (version / "extra.txt").write_text("", encoding="utf-8")
    return version / "extra.txt"


def _add_folder(version: Path) -> Path:
    (version / "more").mkdir()
    return version / "more"


def _link(version: Path) -> Path:
    path = version / "weights.gguf"
    # The content is right; what is behind the link may change at any time.
    shutil.copy(path, version.parent.parent / "outside.gguf")
    path.unlink()
    path.symlink_to(version.parent.parent / "outside.gguf")
    return path


def _change_manifest(version: Path) -> Path:
    path = version / "manifest.json"
    path.chmod(0o644)
    path.write_text(path.read_text(encoding="utf-8").replace("0.975", "0.999"), encoding="utf-8")
    return path


def _break_manifest(version: Path) -> Path:
    path = version / "manifest.json"
    path.chmod(0o644)
    path.write_text('{"format": 1', encoding="utf-8")
    return path


def _name_a_path(version: Path) -> Path:
    path = version / "manifest.json"
    path.chmod(0o644)
    content = json.loads(path.read_text(encoding="utf-8"))
    content["files"][0]["name"] = content["weights"] = "../../secret"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def _remove_manifest(version: Path) -> Path:
    (version / "manifest.json").unlink()
    return version / "manifest.json"


def _swap(version: Path) -> Path:
    shutil.copytree(version, version.with_name("2"))
    return version.with_name("2") / "manifest.json"


def _link_version(version: Path) -> Path:
    version.rename(version.with_name("moved"))
    version.symlink_to("moved")
    return version


def _link_model(version: Path) -> Path:
    model = version.parent
    model.rename(model.with_name("moved"))
    model.symlink_to("moved")
    return model


@pytest.mark.requirement("S3-26")
@pytest.mark.parametrize(
    "damage",
    [
        _change_byte,
        _cut,
        _remove,
        _add,
        _add_folder,
        _link,
        _change_manifest,
        _break_manifest,
        _name_a_path,
        _remove_manifest,
        _link_version,
        _link_model,
    ],
)
def test_damage_is_found_and_the_file_is_named(
    registry: ModelRegistry, weights: Path, damage: object
) -> None:
    version = _register(registry, weights)
    assert callable(damage)
    damaged = damage(version.path)
    with pytest.raises(CorruptedVersionError) as caught:
        registry.verify("pharma", 1)
    assert caught.value.file == damaged
    assert str(damaged) in str(caught.value)


def test_a_version_under_another_number_is_found(registry: ModelRegistry, weights: Path) -> None:
    version = _register(registry, weights)
    manifest = _swap(version.path)
    with pytest.raises(CorruptedVersionError, match="describes pharma@1") as caught:
        registry.verify("pharma", 2)
    assert caught.value.file == manifest


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"aliases": {"live": "x"}}', '{"aliases": {"live": 1}}', '{"format": 2}'],
)
def test_damaged_aliases_are_an_error(registry: ModelRegistry, weights: Path, content: str) -> None:
    _register(registry, weights)
    path = registry.folder / "pharma" / "aliases.json"
    path.write_text(content, encoding="utf-8")
    for action in (registry.get, registry.rollback, registry.list):
        with pytest.raises(CorruptedVersionError) as caught:
            action("pharma")
        assert caught.value.file == path


def test_an_alias_of_a_version_that_was_removed_is_an_error(
    registry: ModelRegistry, weights: Path
) -> None:
    for number in (1, 2):
        _register(registry, weights)
        registry.promote("pharma", number)
    shutil.rmtree(registry.folder / "pharma" / "1")
    with pytest.raises(UnknownNameError, match="pharma@1"):
        registry.rollback("pharma")
    assert registry.get("pharma").version == 2


@pytest.mark.parametrize("name", ["../evil", "a/b", "/evil", "", ".", "..", "CON", "con", "x\0"])
def test_no_name_leads_outside_the_folder(
    registry: ModelRegistry, weights: Path, tmp_path: Path, name: str
) -> None:
    before = _tree(tmp_path)
    for action in (
        lambda: _register(registry, weights, name),
        lambda: registry.get(name),
        lambda: registry.list(name),
        lambda: registry.promote(name, 1),
        lambda: registry.rollback(name),
        lambda: registry.verify(name, 1),
    ):
        with pytest.raises(InvalidIdError):
            action()
    assert _tree(tmp_path) == before


def test_a_linked_model_folder_is_not_written_to(
    registry: ModelRegistry, weights: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    registry.folder.mkdir()
    (registry.folder / "pharma").symlink_to(outside)
    with pytest.raises(CorruptedVersionError):
        _register(registry, weights)
    assert list(outside.iterdir()) == []
    assert registry.list() == ()


@pytest.mark.parametrize("key", ["../x", "a/b", "", ".hidden", "manifest.json", "Weights.GGUF"])
def test_extra_files_get_plain_names(registry: ModelRegistry, weights: Path, key: str) -> None:
    with pytest.raises(DataError):
        registry.register("pharma", weights=weights, files={key: weights})
    assert not registry.folder.exists()


@pytest.mark.parametrize("name", ["model.bin", "model.pt", "model.pkl", "model", "model.gguf.txt"])
def test_only_safe_weights_are_kept(registry: ModelRegistry, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"x")
    with pytest.raises(DataError, match=r"kept as \.gguf or \.safetensors"):
        registry.register("pharma", weights=path)


def test_files_that_may_run_code_are_not_kept(registry: ModelRegistry, weights: Path) -> None:
    with pytest.raises(DataError, match="may run code"):
        registry.register("pharma", weights=weights, files={"optimizer.PT": weights})


def test_wrong_descriptions_are_refused(
    registry: ModelRegistry, weights: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="either weights or a remote model"):
        registry.register("pharma")
    with pytest.raises(DataError, match="either weights or a remote model"):
        registry.register("pharma", weights=weights, remote="openai/x")
    with pytest.raises(DataError, match="no such file"):
        registry.register("pharma", weights=tmp_path / "absent.gguf")
    with pytest.raises(DataError, match="dataset_sha256"):
        registry.register("pharma", weights=weights, dataset_sha256="abc")
    with pytest.raises(DataError, match="cannot be written"):
        registry.register("pharma", weights=weights, metrics={"loss": float("nan")})
    assert not registry.folder.exists()


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    training=st.dictionaries(
        st.text(max_size=8),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=8), inner, max_size=3)
            ),
            max_leaves=8,
        ),
        max_size=4,
    )
)
def test_any_settings_survive(
    registry: ModelRegistry, weights: Path, training: dict[str, JsonValue]
) -> None:
    version = registry.register("pharma", weights=weights, training=training)
    read = registry.verify("pharma", version.version)
    assert read == version
    assert read.manifest.training == training


def test_a_failed_registration_leaves_nothing(
    registry: ModelRegistry, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="No space left on device"):
            _register(registry, weights)
    assert registry.list() == ()
    assert [path.name for path in (registry.folder / "pharma").iterdir()] == []
    assert _register(registry, weights).version == 1


def test_a_failed_promotion_changes_nothing(
    registry: ModelRegistry, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        _register(registry, weights)
    registry.promote("pharma", 1)
    before = _tree(registry.folder)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="No space left on device"):
            registry.promote("pharma", 2)
    assert _tree(registry.folder) == before
    assert registry.get("pharma").version == 1


def test_a_folder_that_cannot_be_made_is_an_error(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("", encoding="utf-8")
    registry = ModelRegistry(tmp_path / "models")
    with pytest.raises(StoreError, match="model registry"):
        _register(registry, weights)
    assert registry.list() == ()


def test_what_a_killed_registration_left_is_ignored_and_swept(
    registry: ModelRegistry, weights: Path
) -> None:
    _register(registry, weights)
    home = registry.folder / "pharma"
    for name in (".incoming-old", ".incoming-new"):
        (home / name).mkdir()
        (home / name / "weights.gguf").write_bytes(b"half")
    os.utime(home / ".incoming-old", (0, 0))
    assert [str(version) for version in registry.list()] == ["pharma@1"]
    assert _register(registry, weights).version == 2
    assert sorted(path.name for path in home.iterdir()) == [".incoming-new", ".lock", "1", "2"]


def _let_run(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate("go\n", timeout=60)
    assert process.returncode == 0
    return output


def test_two_processes_get_numbers_of_their_own(registry: ModelRegistry, weights: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from wiki.registry import ModelRegistry\n"
        "registry = ModelRegistry(Path(sys.argv[1]))\n"
        "sys.stdin.readline()\n"
        "for _ in range(10):\n"
        "    version = registry.register('pharma', weights=Path(sys.argv[2]))\n"
        "    registry.promote('pharma', version.version)\n"
        "    print(version.version)\n"
    )
    command = [sys.executable, "-c", program, str(registry.folder), str(weights)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    with ThreadPoolExecutor() as threads:
        printed = list(threads.map(_let_run, processes))
    numbers = sorted(int(line) for output in printed for line in output.split())
    assert numbers == list(range(1, 21))
    assert [registry.verify("pharma", number).version for number in numbers] == numbers
    # No promotion was lost to the other process.
    events = registry.history("pharma")
    assert sorted(event.version for event in events) == numbers
    assert [event.previous for event in events[1:]] == [event.version for event in events[:-1]]
    assert registry.get("pharma").version == events[-1].version


def test_readers_never_see_half_a_promotion(registry: ModelRegistry, weights: Path) -> None:
    for _ in range(2):
        _register(registry, weights)
    registry.promote("pharma", 1)
    registry.promote("pharma", 2)

    def swap() -> None:
        for _ in range(30):
            registry.rollback("pharma")

    with ThreadPoolExecutor() as threads:
        swapping = [threads.submit(swap) for _ in range(2)]
        seen = {
            tuple(version.aliases for version in registry.list("pharma"))
            for _ in iter(lambda: all(one.done() for one in swapping), True)
        }
        for one in swapping:
            one.result()
    assert seen <= {(("live",), ("previous",)), (("previous",), ("live",))}
    assert len(registry.history("pharma")) == 62


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.sampled_from([1, 2, 3, "rollback"]), max_size=12))
def test_live_and_previous_follow_the_promotions(
    tmp_path_factory: pytest.TempPathFactory, weights: Path, steps: list[int | str]
) -> None:
    registry = ModelRegistry(tmp_path_factory.mktemp("registry"))
    for _ in range(3):
        _register(registry, weights)
    live: int | None = None
    previous: int | None = None
    for step in steps:
        if isinstance(step, int):
            registry.promote("pharma", step)
            live, previous = (step, live) if step != live else (live, previous)
        elif previous is None:
            with pytest.raises(NotPromotedError):
                registry.rollback("pharma")
        else:
            registry.rollback("pharma")
            live, previous = previous, live
        aliases = {
            alias: version.version
            for version in registry.list("pharma")
            for alias in version.aliases
        }
        assert (aliases.get("live"), aliases.get("previous")) == (live, previous)
