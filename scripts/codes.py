"""Writes the table of codes in docs/dataset-check.md from the codes themselves.

`python -m scripts.codes` writes, `python -m scripts.codes --check` only says whether it would.
"""

import sys
from pathlib import Path

from finetune.dataset import CODES, PROVIDERS

__all__ = ["main", "rendered"]

PAGE = Path(__file__).parent.parent / "docs" / "dataset-check.md"
_MARKS = {
    "codes": ("<!-- codes -->\n", "<!-- /codes -->\n"),
    "providers": ("<!-- providers -->\n", "<!-- /providers -->\n"),
}


def rendered(page: str) -> str:
    """Return the page with tables that fit the code."""
    for name, table in (("codes", _codes()), ("providers", _providers())):
        begin, end = _MARKS[name]
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}{table}{end}{after}"
    return page


def main() -> int:
    """Write or check the page; returns 1 when a check finds it out of step."""
    page = PAGE.read_text(encoding="utf-8")
    fresh = rendered(page)
    if "--check" in sys.argv:
        if fresh != page:
            print("docs/dataset-check.md is out of step; run: python -m scripts.codes")
        return int(fresh != page)
    PAGE.write_text(fresh, encoding="utf-8")
    return 0


def _codes() -> str:
    lines = ["| code | | what it says |", "|---|---|---|"]
    for code, rule in CODES.items():
        refusing = [name for name, p in PROVIDERS.items() if code in p.errors]
        also = f"; error for {', '.join(refusing)}" if refusing else ""
        meaning = rule.meaning.replace("|", "\\|")
        lines.append(f"| `{code}` | {rule.severity}{also} | {meaning} |")
    return "\n".join(lines) + "\n"


def _providers() -> str:
    lines = ["| `--provider` | rows | what else |", "|---|---|---|"]
    for name, profile in PROVIDERS.items():
        most = f" to {profile.maximum:,}" if profile.maximum else " or more"
        notes = [
            "user and assistant take turns" if profile.is_alternating else "",
            "`weight` 0 is trained all the same" if not profile.has_weights else "",
            f"messages of at most {profile.max_turn_tokens:,} tokens"
            if profile.max_turn_tokens
            else "",
            f"files up to {profile.max_bytes / 1e9:g} GB" if profile.max_bytes else "",
            "a byte order mark is usual" if profile.takes_mark else "",
            f"errors: {', '.join(f'`{code}`' for code in sorted(profile.errors))}"
            if profile.errors
            else "",
            f"accepted: {', '.join(f'`{code}`' for code in sorted(profile.accepts))}"
            if profile.accepts
            else "",
        ]
        lines.append(f"| `{name}` | {profile.minimum}{most} | {'; '.join(filter(None, notes))} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
