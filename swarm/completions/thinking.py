"""Splits off what a model thinks aloud between `<think>` and `</think>` before its answer."""

__all__ = ["ThinkingFilter", "split_thinking"]

_OPEN, _CLOSE = "<think>", "</think>"


def split_thinking(text: str) -> tuple[str, str]:
    """Return the part of a whole text that a user may see, and what was thought before it."""
    if _OPEN not in text:
        return text, ""
    thinking = ThinkingFilter()
    visible = thinking.feed(text) + thinking.finish()
    return visible, thinking.reasoning


class ThinkingFilter:
    """Takes text in pieces and gives back the part that a user may see."""

    def __init__(self) -> None:
        self._held = ""
        self._state = "start"
        self.reasoning = ""

    def feed(self, piece: str) -> str:
        """Return the visible part of a piece, which may come later than its text."""
        if self._state == "answer":
            return piece
        self._held += piece
        if self._state == "start":
            text = self._held.lstrip()
            if len(text) < len(_OPEN) and _OPEN.startswith(text):
                return ""
            if not text.startswith(_OPEN):
                return self._release(self._held)
            self._state, self._held = "thinking", text.removeprefix(_OPEN)
        if self._state == "thinking":
            thought, close, answer = self._held.partition(_CLOSE)
            if not close:
                return ""
            self.reasoning = thought.strip()
            self._state, self._held = "gap", answer
        # The blank lines between the two belong to neither, however they were cut.
        answer = self._held.lstrip()
        return self._release(answer) if answer else ""

    def finish(self) -> str:
        """Return what is still held back when the text ends."""
        if self._state == "thinking":
            # The model was cut off while it thought: there is no answer.
            self.reasoning, self._held = self._held.strip(), ""
            return ""
        return self._release(self._held) if self._state == "start" else ""

    def _release(self, text: str) -> str:
        self._state, self._held = "answer", ""
        return text
