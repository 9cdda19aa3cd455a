"""Where a Hugging Face folder keeps its chat template."""

import json
from pathlib import Path

from finetune.package.converter import PackagingError

__all__ = ["read_chat_template"]


def read_chat_template(folder: Path) -> str | None:
    """Return the Jinja source of a model folder's chat template, or None when it has none.

    Raises:
        PackagingError: The tokenizer's settings are damaged.
    """
    path = folder / "chat_template.jinja"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    settings = folder / "tokenizer_config.json"
    if not settings.is_file():
        return None
    try:
        template = json.loads(settings.read_text(encoding="utf-8")).get("chat_template")
    except (ValueError, AttributeError):
        raise PackagingError(f"{settings} is damaged; save the tokenizer again") from None
    return template if isinstance(template, str) else None
