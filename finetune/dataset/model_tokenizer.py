"""The tokenizer of a local model folder: exact counts, and which tokens will be trained.

Reads the files that every Hugging Face folder has, with the package `tokenizers` and without
transformers. Nothing is downloaded, and no code of the folder is run but its chat template, in a
sandbox.
"""

# tokenizers ships no complete types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from finetune.dataset.chat_template import ChatTemplate, Rendered
from finetune.dataset.row_parts import (
    PER_MESSAGE,
    bare_tokens,
    count_parts,
    template_messages,
    template_tools,
)
from finetune.dataset.rows import DpoRow, SftRow
from finetune.dataset.tokens import RowTokens
from swarm.errors import DataError, require

__all__ = ["MaskedText", "ModelTokenizer", "load_tokenizer"]

_ANY_LENGTH = 10_000_000  # configurations write absurd numbers where there is no limit


class MaskedText(NamedTuple):
    """What the model sees of a row, and which tokens of it are trained."""

    part: str
    """Empty for the conversation, else `preferred_output` or `non_preferred_output`."""
    text: str
    offsets: tuple[tuple[int, int], ...]
    """The characters of each token."""
    trained: tuple[bool, ...]
    """For each token, whether it is trained."""
    prompt: int = 0
    """Tokens before the output; 0 for a conversation."""


class ModelTokenizer:
    """A tokenizer with its chat template, if it has one."""

    is_estimate = False

    def __init__(
        self, name: str, raw: Any, template: ChatTemplate | None, max_length: int | None
    ) -> None:
        """Put together what `load_tokenizer` read.

        Args:
            name: What to call it in reports.
            raw: A `tokenizers.Tokenizer`.
            template: The model's chat template.
            max_length: The longest sequence that the model takes.
        """
        self.template = template
        self.max_length = max_length
        added = cast("dict[int, Any]", raw.get_added_tokens_decoder())
        self.control_tokens = frozenset(
            str(token.content) for token in added.values() if token.special and token.content
        )
        """Texts that the tokenizer turns into control tokens, wherever they stand."""
        self._raw = raw
        how = "chat template" if template else f"no chat template, {PER_MESSAGE} per message"
        self.method = f"tokenizer of {name}, {how}"

    @property
    def knows_trained(self) -> bool:
        """Whether there is a chat template, which decides what is trained."""
        return self.template is not None

    def measure(self, row: SftRow | DpoRow) -> RowTokens:
        """Return the tokens of a row, counted in the text that the template writes.

        Raises:
            TemplateRefusedError: The template cannot write the row.
        """
        parts = count_parts(row, self._count)
        if self.template is None:
            return bare_tokens(row, parts)
        masks = self.mask(row)
        longest = max(len(mask.offsets) for mask in masks)
        trained = sum(sum(mask.trained) for mask in masks)
        total = sum(len(mask.offsets) - mask.prompt for mask in masks) + masks[0].prompt
        return RowTokens(total, trained, longest, parts)

    def mask(self, row: SftRow | DpoRow) -> tuple[MaskedText, ...]:
        """Return what the model sees, with the tokens that are trained.

        One text for a conversation, two for a preference row. In a conversation the template's
        marks decide; without marks, what stands after the prompt of the last answer is trained,
        as trainers do with a prompt and its completion.

        Raises:
            TemplateRefusedError: The template cannot write the row.
            DataError: The model has no chat template.
        """
        if self.template is None:
            raise DataError(f"{self.method}: without a template nobody knows what is trained")
        if isinstance(row, SftRow):
            messages, tools = template_messages(row.messages), template_tools(row)
            if self.template.marks_answers:
                return (self._marked(self.template.render(messages, tools)),)
            # One answer, or several that follow each other.
            split = len(messages)
            while split and messages[split - 1]["role"] == "assistant":
                split -= 1
            if split == len(messages):
                whole = self.template.render(messages, tools)
                return (self._marked(Rendered(whole.text, ())),)
            return (self._after("", messages[:split], messages[split:], tools),)
        prompt, tools = template_messages(row.input.messages), template_tools(row.input)
        return tuple(
            self._after(name, prompt, template_messages(output), tools)
            for name, output in (
                ("preferred_output", row.preferred_output),
                ("non_preferred_output", row.non_preferred_output),
            )
        )

    def _count(self, texts: list[str]) -> list[int]:
        encoded = self._raw.encode_batch_fast(texts, add_special_tokens=False)
        return [len(one.ids) for one in encoded]

    def _marked(self, rendered: Rendered) -> MaskedText:
        encoded = self._raw.encode(rendered.text, add_special_tokens=False)
        offsets = tuple(cast("list[tuple[int, int]]", encoded.offsets))
        trained: list[bool] = []
        spans = iter(rendered.marked)
        span = next(spans, None)
        for start, end in offsets:
            while span is not None and start >= span[1]:
                span = next(spans, None)
            trained.append(span is not None and end > span[0])
        return MaskedText("", rendered.text, offsets, tuple(trained))

    def _after(
        self,
        part: str,
        prompt: Sequence[Mapping[str, Any]],
        answer: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]] | None,
    ) -> MaskedText:
        assert self.template is not None
        before = self.template.render(prompt, tools, is_prompt=True).text if prompt else ""
        text = self.template.render([*prompt, *answer], tools).text
        first, whole = self._raw.encode_batch([before, text], add_special_tokens=False)
        # The answer begins where the two part, which may be inside the prompt when a token
        # reaches over its end.
        size = next(
            (at for at, (a, b) in enumerate(zip(first.ids, whole.ids, strict=False)) if a != b),
            min(len(first.ids), len(whole.ids)),
        )
        offsets = tuple(cast("list[tuple[int, int]]", whole.offsets))
        trained = tuple(at >= size for at in range(len(offsets)))
        return MaskedText(part, text, offsets, trained, size)


def load_tokenizer(path: Path | str) -> ModelTokenizer:
    """Return the tokenizer of a local model folder, or of a run folder that holds one.

    Args:
        path: A folder with `tokenizer.json`; the chat template and the special tokens are read
            from `chat_template.jinja` and `tokenizer_config.json` beside it.

    Raises:
        DataError: There is no tokenizer here, or its files are damaged.
        TemplateRefusedError: The chat template is broken.
        MissingExtraError: The package `tokenizers` is not installed.
    """
    path = Path(path)
    folder = next((f for f in (path, path / "model") if (f / "tokenizer.json").is_file()), None)
    if folder is None:
        raise DataError(f"{path}: no tokenizer here; expected a model folder with tokenizer.json")
    require("tokenizers", extra="data")
    from tokenizers import Tokenizer as RawTokenizer

    try:
        raw = RawTokenizer.from_str((folder / "tokenizer.json").read_text(encoding="utf-8"))
        raw.no_truncation()
        raw.no_padding()
    except Exception as error:  # the library raises plain Exception for a file that it refuses
        raise DataError(f"{folder / 'tokenizer.json'}: {str(error)[:300]}") from None
    config = _config(folder / "tokenizer_config.json")
    source = _template(folder, config)
    special = {
        key: token for key in config if key.endswith("_token") and (token := _token(config[key]))
    }
    template = ChatTemplate(source, special) if source else None
    length = config.get("model_max_length")
    is_limit = isinstance(length, int) and 0 < length < _ANY_LENGTH
    return ModelTokenizer(path.name or str(path), raw, template, length if is_limit else None)


def _config(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        value: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file}: {error}") from None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _template(folder: Path, config: Mapping[str, Any]) -> str | None:
    file = folder / "chat_template.jinja"
    if file.is_file():
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{file}: {error}") from None
    known = config.get("chat_template")
    if isinstance(known, list):
        # Older folders name several; trainers take the default one.
        named = [cast("dict[str, Any]", item) for item in known if isinstance(item, dict)]
        known = next((one.get("template") for one in named if one.get("name") == "default"), None)
    return known if isinstance(known, str) else None


def _token(value: Any) -> str | None:
    if isinstance(value, dict):
        value = cast("dict[str, Any]", value).get("content")
    return value if isinstance(value, str) else None
