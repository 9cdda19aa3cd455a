"""A pipeline is what its file says, or one error that says where it is not."""

from pathlib import Path

import pytest

from finetune.curate import CurationError, Pipeline


def read(tmp_path: Path, text: str) -> Pipeline:
    path = tmp_path / "curate.yaml"
    path.write_text(text, encoding="utf-8")
    return Pipeline.read(path)


def test_steps_by_name_and_with_settings(tmp_path: Path) -> None:
    pipeline = read(tmp_path, "steps:\n  - rules\n  - exact_duplicates:\n")
    assert [config.step_name for config in pipeline.steps] == ["rules", "exact_duplicates"]
    assert [config.step_name for config in pipeline.corpus_steps] == ["exact_duplicates"]


def test_a_pipeline_survives_its_encoding() -> None:
    pipeline = Pipeline.default()
    assert Pipeline.decoded(pipeline.encoded()) == pipeline
    assert Pipeline.decoded(pipeline.encoded()).digest == pipeline.digest


def test_other_settings_give_another_name() -> None:
    one, other = (
        Pipeline.of([{"near_duplicates": {"threshold": threshold}}]) for threshold in (0.8, 0.9)
    )
    assert one.digest != other.digest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("steps: [rules", r"curate\.yaml:1: "),
        ("steps:\n - rules\n - ruls", r"curate\.yaml:3: there is no step 'ruls'"),
        ("steps:\n - rules: {depth: 3}", r"curate\.yaml:2: rules\.depth: "),
        ("steps:\n - rules\n - rules", r"curate\.yaml:3: rules is there twice"),
        ("steps:\n - exact_duplicates\n - rules", r"curate\.yaml:3: rules judges rows one by one"),
        ("steps: []", "a pipeline without steps"),
        ("steps: rules", "`steps` is a list"),
        ("steps:\n - 7", r"curate\.yaml:2: a step is a name"),
        ("steps:\n - {rules: , exact_duplicates: }", r"curate\.yaml:2: a step is a name"),
        ("setps: []", r"curate\.yaml:1: unknown key 'setps'"),
        ("- rules", "a mapping with the key `steps`"),
        ("", "a mapping with the key `steps`"),
        ("steps: [!!python/object/apply:os.getcwd []]", "curate"),
        ("a: " + "[" * 5000, "curate"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(CurationError, match=expected):
        read(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CurationError, match="No such file"):
        Pipeline.read(tmp_path / "none.yaml")
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"steps: [r\xfcles]")
    with pytest.raises(CurationError, match="not UTF-8"):
        Pipeline.read(path)
