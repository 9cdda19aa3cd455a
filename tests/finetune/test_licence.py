"""What the licence of a base asks for: where it is found, shown, and packaged."""

import json
from pathlib import Path

import pytest

from finetune import TrainResult, publish
from finetune.licence import duties_of, find_licence, licence_of_run, notice_text
from finetune.package import package_run
from finetune.train.catalogue import catalogue
from wiki import ModelRegistry, ModelVersion


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    return ModelRegistry(tmp_path / "models")


def _version(registry: ModelRegistry, name: str = "pharma", **fields: str) -> ModelVersion:
    weights = registry.folder.parent / "w.gguf"
    weights.write_bytes(b"GGUF")
    return registry.register(name, weights=weights, **fields)  # pyright: ignore[reportArgumentType]


@pytest.mark.requirement("S3-24")
@pytest.mark.parametrize(
    "fields",
    [
        {"licence": "llama-3.1"},
        {"licence": "llama3.1"},
        {"base_model": "llama-3.1-8b"},
        {"base_model": "meta-llama/Llama-3.1-8B-Instruct"},
    ],
)
def test_the_duties_of_a_llama_are_told(registry: ModelRegistry, fields: dict[str, str]) -> None:
    duties = duties_of(_version(registry, **fields))
    assert duties.licence == "Llama 3.1 Community License"
    assert duties.checked == catalogue().as_of
    terms = " ".join(duties.terms)
    assert '"Built with Llama"' in terms and "700 million" in terms
    assert "improve other models" in terms
    [warning] = duties.warnings
    assert "has to begin with Llama" in warning and "llama-pharma" in warning
    assert not duties_of(_version(registry, "llama-pharma", **fields)).warnings
    assert any(str(duties.checked) in line for line in duties.lines())


@pytest.mark.requirement("S3-24")
@pytest.mark.parametrize(
    ("fields", "licence", "warning"),
    [
        ({"base_model": "scratch"}, "your own weights, made from nothing", None),
        ({"base_model": "qwen2.5-7b"}, "Apache License 2.0", None),
        ({"licence": "mit"}, "MIT License", None),
        ({"licence": "my-licence"}, "my-licence", "read them before others use pharma@1"),
        ({"base_model": "folder"}, None, "package RUN --name NAME --licence LICENCE"),
        ({}, None, "nobody said which licence pharma@1 has"),
    ],
)
def test_a_licence_that_nobody_named_is_a_warning_with_the_fix(
    registry: ModelRegistry, fields: dict[str, str], licence: str | None, warning: str | None
) -> None:
    duties = duties_of(_version(registry, **fields))
    assert duties.licence == licence
    assert duties.is_own == (fields == {"base_model": "scratch"}) == (not [*duties.lines()])
    assert bool(duties.warnings) == (warning is not None)
    assert warning is None or warning in duties.warnings[0]


def test_a_hosted_model_has_the_terms_of_its_host(registry: ModelRegistry) -> None:
    version = registry.register("pharma", remote="openai/ft:x:y", base_model="gpt-4.1-mini")
    duties = duties_of(version)
    assert duties.licence == "the terms of openai, which hosts it"
    assert not duties.warnings


@pytest.mark.requirement("S3-24")
def test_every_licence_of_the_catalogue_can_be_shown() -> None:
    for key, licence in catalogue().licences.items():
        assert licence.terms
        for spelling in (key, key.upper(), licence.name, *licence.spellings):
            assert find_licence(spelling) == key
        notice = notice_text("pharma", key)
        assert (notice is None) == (key == "own")
        for required in (licence.attribution, licence.notice, licence.url):
            assert required is None or required in (notice or "")
    assert notice_text("pharma", None) is notice_text("pharma", "my-licence") is None


def _model(folder: Path, card: str | None) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    (folder / "model.safetensors").write_bytes(b"")
    if card is not None:
        (folder / "README.md").write_text(card, encoding="utf-8")
    return folder


def _run(folder: Path, base: Path | str) -> Path:
    folder.mkdir()
    config = json.dumps({"base": str(base), "method": "sft"})
    (folder / "config.json").write_text(config, encoding="utf-8")
    return folder


@pytest.mark.requirement("S3-24")
@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlanguage: en\nlicense: llama3.2\n---\n# Model\n", "llama-3.2"),
        ("---\nlicense: other\nlicense_name: gemma\n---\n", "gemma"),
        ("---\nlicense: bigscience-openrail-m\n---\n", "bigscience-openrail-m"),
        ("# Model\nlicense: mit\n", None),
        ("---\nlicense: [mit]\n---\n", None),
        ("---\nlicense: {\n---\n", None),
        ("---\nlicense: 2026-99-99\n---\n", None),
        ("---\nlicense: " + "[" * 20_000 + "\n---\n", None),
        ("---\n", None),
        ("", None),
        (None, None),
    ],
)
def test_the_licence_of_a_base_is_read_from_its_card(
    tmp_path: Path, card: str | None, licence: str | None
) -> None:
    base = _model(tmp_path / "base", card)
    first = _run(tmp_path / "first", base)
    assert licence_of_run(first) == licence
    # A run that goes on from another one, by either of its folders.
    _model(first / "model", None)
    assert licence_of_run(_run(tmp_path / "second", first)) == licence
    assert licence_of_run(_run(tmp_path / "third", first / "model")) == licence


def test_bases_that_lead_in_a_circle_or_nowhere_have_no_licence(tmp_path: Path) -> None:
    _run(tmp_path / "a", tmp_path / "b")
    _run(tmp_path / "b", tmp_path / "a")
    assert licence_of_run(tmp_path / "a") is None
    assert licence_of_run(_run(tmp_path / "c", tmp_path / "absent")) is None
    assert licence_of_run(_run(tmp_path / "d", "scratch")) == "own"


@pytest.mark.requirement("S3-24")
@pytest.mark.anyio
async def test_the_notice_goes_with_the_weights(
    trained_run: TrainResult, registry: ModelRegistry, tmp_path: Path
) -> None:
    run = trained_run.run_dir
    own = await publish(run, "pharma", registry, parity_conversations=0)
    assert own.manifest.licence == "own"
    assert not (own.path / "NOTICE.txt").exists()
    told = await publish(
        run, "llama-pharma", registry, licence="llama3.2", groups=["gpu"], parity_conversations=0
    )
    assert (told.manifest.licence, told.manifest.groups) == ("llama-3.2", ("gpu",))
    notice = (told.path / "NOTICE.txt").read_text(encoding="utf-8")
    assert "Built with Llama\n" in notice and "Llama 3.2 is licensed under" in notice
    registry.verify("llama-pharma", 1)
    package = await package_run(
        run, tmp_path / "out", name="llama-pharma", quantisations=["q8_0"], licence="llama3.2"
    )
    assert (package.licence, package.notice) == ("llama-3.2", "NOTICE.txt")
    assert (tmp_path / "out" / "NOTICE.txt").read_text(encoding="utf-8") == notice
