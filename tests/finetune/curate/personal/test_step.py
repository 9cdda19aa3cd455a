"""The step: what it writes, what it notes, and what it removes."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from finetune.curate.personal import PersonalData, phones
from finetune.curate.step import Note
from finetune.dataset import AssistantMessage, FunctionCall, SftRow, ToolCall, UserMessage
from finetune.dataset.sample import Provenance, Sample
from tests.finetune.curate.personal.generate_personal import clean_rows

TEXT = "I am ann@example.org, or bob@example.org, or 212-555-0123."


def sample(*texts: str) -> Sample:
    messages = tuple(UserMessage(content=text) for text in texts)
    return Sample(SftRow(messages=messages), Provenance(source="journal"))


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take `phonenumbers` away."""
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    phones.phone_library.cache_clear()
    yield
    phones.phone_library.cache_clear()


@pytest.mark.requirement("S0-22")
def test_notes_count_and_never_tell() -> None:
    before = sample("hello", TEXT)
    verdict = PersonalData().build().judge(before)
    path = ("messages", 1, "content")
    assert verdict.notes == (
        Note("redacted_email", "2 places", path),
        Note("redacted_phone", "1 place", path),
    )
    assert verdict.sample is not None
    assert verdict.sample.provenance == before.provenance


def test_a_clean_sample_is_the_same_object() -> None:
    step = PersonalData().build()
    for row in clean_rows(seed=7, count=200):
        before = Sample(row)
        verdict = step.judge(before)
        assert verdict.sample is before, verdict.notes
        assert verdict.notes == ()


def test_drop_removes_the_row() -> None:
    verdict = PersonalData(mode="drop").build().judge(sample(TEXT))
    assert verdict.sample is None
    assert [note.code for note in verdict.notes] == ["found_email", "found_phone"]
    assert PersonalData(mode="drop").build().judge(sample("hello")).sample is not None


def test_kinds_limit_what_is_looked_for() -> None:
    verdict = PersonalData(kinds=("phone",)).build().judge(sample(TEXT))
    assert [note.code for note in verdict.notes] == ["redacted_phone"]


@pytest.mark.parametrize(
    "arguments",
    ['{"ann@example.org": "x"}', '{"ann@example.org": true}', '{"a": [{"ann@example.org": {}}]}'],
)
def test_a_row_with_personal_data_in_a_key_is_removed(arguments: str) -> None:
    call = ToolCall(id="c1", function=FunctionCall(name="f", arguments=arguments))
    row = SftRow(messages=(UserMessage(content="q"), AssistantMessage(tool_calls=(call,))))
    verdict = PersonalData().build().judge(Sample(row))
    assert verdict.sample is None
    assert [note.code for note in verdict.notes] == ["personal_data_in_key"]


@pytest.mark.usefixtures("no_library")
def test_without_the_library_some_numbers_are_known_and_others_noted() -> None:
    step = PersonalData().build()
    verdict = step.judge(sample("+49 30 901820 or 212-555-0123"))
    assert [note.code for note in verdict.notes] == ["redacted_phone"]
    verdict = step.judge(sample("Ruf an: 030 901820"))
    assert [note.code for note in verdict.notes] == ["unchecked_phone"]
    assert "pip install 'wikiswarm[data]'" in verdict.notes[0].detail


def test_settings_survive_yaml_and_refuse_what_is_unknown() -> None:
    config = PersonalData.model_validate({"mode": "pseudonym", "kinds": ["email", "iban"]})
    assert PersonalData.model_validate_json(config.model_dump_json()) == config
    with pytest.raises(ValueError, match="mode"):
        PersonalData.model_validate({"mode": "hide"})


def test_the_program_of_the_page_says_what_it_means(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from tests.test_docs import ROOT, blocks, run

    page = (ROOT / "docs" / "curation.md").read_text(encoding="utf-8")
    section = page.partition("\n## Personal data\n")[2].partition("\n## ")[0]
    (tmp_path / "page.md").write_text(section, encoding="utf-8")
    (program,) = blocks(tmp_path / "page.md", "python")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = run(sys.executable, "program.py", folder=tmp_path)
    assert done.stdout.splitlines() == [
        "Write to [EMAIL] or call [PHONE].",
        "Write to [EMAIL_1], not to [EMAIL_2]; [EMAIL_1] is right.",
        "redacted_email 2 places",
    ], done.stderr
