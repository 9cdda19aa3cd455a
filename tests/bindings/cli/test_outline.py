"""`outline`, with a model server beside it."""

from pathlib import Path
from typing import Any

import pytest

from swarm.testing import StubReply
from tests.bindings.cli.conftest import Serve, Wikiswarm

DOCUMENT = """\
completions:
  model: {model: openai/stub, base_url: "${URL}", max_retries: 0}
outlines:
  order:
    completion: model
    format: {type: object, properties: {boxes: {type: integer}}, required: [boxes]}
    max_attempts: 2
"""


@pytest.fixture
def order(tmp_path: Path) -> Path:
    """A document with one outline."""
    path = tmp_path / "order.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return path


def test_the_document_is_printed_as_json(
    wikiswarm: Wikiswarm, serve: Serve, order: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(lambda _: '```json\n{"boxes": 2}\n```')
    monkeypatch.setenv("URL", server.base_url)
    output = wikiswarm("outline", order, "order", "Two boxes", "of A1", "--dump", "pages")
    assert output.json == {"boxes": 2}
    assert [m["content"] for m in server.requests[0]["messages"][1:]] == ["Two boxes", "of A1"]
    (page,) = Path("pages").iterdir()
    assert f"written: pages/{page.name}" in output.err
    assert "Two boxes" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("reply", "arguments", "code", "message"),
    [
        ("no", ["order"], 1, "no valid document after 2 attempts: the answer is no JSON object"),
        ("no", ["odrer"], 1, "did you mean 'order'"),
        (StubReply(status=401), ["order"], 3, "HTTP 401"),
    ],
)
def test_what_goes_wrong_has_its_exit_code(
    wikiswarm: Wikiswarm,
    serve: Serve,
    order: Path,
    monkeypatch: pytest.MonkeyPatch,
    reply: Any,
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.setenv("URL", serve(lambda _: reply).base_url)
    output = wikiswarm("outline", order, *arguments, code=code)
    assert message in output.err
    assert output.out == ""
