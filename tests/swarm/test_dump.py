"""Pages about results."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from swarm import Message, OutlineResult, Usage, dump_advisor_result, dump_outline_result
from swarm.errors import InvalidIdError, StoreError


class Order(BaseModel):
    sku: str


RESULT: OutlineResult[Any] = OutlineResult(
    outline_name="order",
    result_id="a1b2",
    is_valid=True,
    attempt=2,
    params=("Two boxes", {"of": "A1"}),
    history=(
        Message(role="system", content="Be exact."),
        Message(role="assistant", content='```json\n{"sku": "A1"}\n```'),
    ),
    model="openai/gpt-5",
    data=Order(sku="A1"),
    usage=Usage(input_tokens=7, output_tokens=3),
)


@pytest.mark.requirement("kit:docs:results")
def test_a_page_tells_how_a_document_came_about(tmp_path: Path) -> None:
    page = dump_outline_result(RESULT, tmp_path / "dump" / "outline")
    assert page == tmp_path / "dump" / "outline" / "a1b2.md"
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# order\n")
    assert "| Attempts | 2 |" in text and "| Tokens | 7 in, 3 out |" in text
    assert '```json\n{\n  "sku": "A1"\n}\n```' in text
    assert "```\nTwo boxes\n```" in text and '"of": "A1"' in text
    assert "### 1. system\n\n```\nBe exact.\n```" in text
    # What a model fenced stays inside of the page's own fence.
    assert '````\n```json\n{"sku": "A1"}\n```\n````' in text
    assert "Error" not in text
    assert [path.name for path in page.parent.iterdir()] == ["a1b2.md"]


def test_a_page_of_a_failure_has_the_reason_and_replaces_the_old_one(tmp_path: Path) -> None:
    dump_outline_result(RESULT, tmp_path)
    failed = replace(RESULT, is_valid=False, data=None, error="no such sku", params=())
    text = dump_outline_result(failed, tmp_path).read_text(encoding="utf-8")
    assert "| Valid | no |" in text and "## Error\n\n```\nno such sku\n```" in text
    assert "## Document" not in text and "## Parameters" not in text


def test_an_advisors_answer_is_a_page(tmp_path: Path) -> None:
    page = dump_advisor_result("c3d4", "Take **one**.", tmp_path)
    assert page.read_text(encoding="utf-8") == "# Result c3d4\n\nTake **one**.\n"


def test_values_of_keys_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_API_KEY", "sk-very-secret")
    page = dump_advisor_result("c3d4", "Use sk-very-secret.", tmp_path)
    assert page.read_text(encoding="utf-8") == "# Result c3d4\n\nUse ${SHOP_API_KEY}.\n"


@pytest.mark.parametrize("result_id", ["", "../up", "a/b", ".hidden", "a" * 65, "a\n"])
def test_an_id_that_is_a_path_is_refused(tmp_path: Path, result_id: str) -> None:
    with pytest.raises(InvalidIdError, match="no name for a file"):
        dump_outline_result(replace(RESULT, result_id=result_id), tmp_path)
    with pytest.raises(InvalidIdError, match="no name for a file"):
        dump_advisor_result(result_id, "text", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot write"):
        dump_advisor_result("c3d4", "text", tmp_path / "file")
