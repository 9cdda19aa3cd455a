"""E-mail addresses, also those written to escape notice, and URLs with a password."""

import re
from collections.abc import Iterator

from finetune.curate.personal.hit import Hit

__all__ = ["emails", "hidden_emails", "urls_with_credentials"]

# Letters of the scripts that part words with spaces; in Japanese the address stands in the text
# without any, and would take its neighbours along.
_LETTER = r"A-Za-z0-9_\u00aa-\u2fff"
_LOCAL = re.compile(rf"(?:\"[^\"\n\0]{{1,64}}\"|[{_LETTER}.!#$%&'*+/=?^`{{|}}~\-]{{1,64}})\Z")
_DOMAIN = re.compile(
    rf"(?:\[[0-9a-fA-F:.]{{3,45}}\]|(?:[{_LETTER}\-]{{1,63}}[.\u3002]){{1,8}}[{_LETTER}\-]{{2,63}})"
)
_LONGEST_LOCAL = 66
_NOT_DOMAINS = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".js", ".css", ".py")
_SCHEME_END = "://"
_CREDENTIALS = re.compile(
    r"[^\s/@:\"'<>?#\0]{0,128}:[^\s/\"'<>?#\0]{1,256}@[^\s\"'<>\0\u3000-\uffff]{1,2000}"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{0,30}\Z")
_SIGN = "at|arroba|chiocciola|małpa"
_AT = rf"(?:\s?[(\[{{<]\s?(?:{_SIGN}|ät|@)\s?[)\]}}>]\s?|\s(?:{_SIGN})\s)"
_DOT_WORDS = r"(?:dot|punkt|punto|ponto|point|punt|kropka|\.)"
_DOT = rf"(?:\s?[(\[{{<]\s?{_DOT_WORDS}\s?[)\]}}>]\s?|\s{_DOT_WORDS}\s)"
_PART = rf"[{_LETTER}+\-]{{1,63}}"
_HIDDEN = re.compile(
    rf"(?P<local>{_PART}(?:(?:\.|{_DOT}){_PART}){{0,3}}){_AT}"
    rf"{_PART}(?:(?:\.|{_DOT}){_PART}){{1,4}}",
    re.IGNORECASE,
)
_AT_WORD = re.compile(rf"[(\[{{<]\s?(?:{_SIGN}|ät|@)\s?[)\]}}>]|\s(?:{_SIGN})\s")
_LEAD = 100


def emails(text: str) -> Iterator[Hit]:
    """Yield plain addresses, found by their at-sign."""
    at = text.find("@")
    while at >= 0:
        start, end = at, at + 1
        # One space on each side is a slip of the pen, or a trick.
        if text[end : end + 1] == " " and text[start - 1 : start] == " ":
            start, end = start - 1, end + 1
        local = _LOCAL.search(text, max(0, start - _LONGEST_LOCAL), start)
        domain = _DOMAIN.match(text, end, end + 400)
        if local and domain:
            first, last = local.start(), domain.end()
            while first < start and text[first] in ".!#$%&'*+/=?^`{|}~-":
                first += 1
            while text[last - 1] in ".-":
                last -= 1
            name = text[end:last].lower()
            top = name.rpartition(".")[2]
            is_file = name.endswith(_NOT_DOMAINS)
            if first < start and not is_file and ("[" in name or not any(c.isdigit() for c in top)):
                yield Hit("email", first, last)
        at = text.find("@", at + 1)


def hidden_emails(text: str) -> Iterator[Hit]:
    """Yield addresses like `name (at) example dot com`."""
    done = 0
    for word in _AT_WORD.finditer(text):
        low = max(done, word.start() - _LEAD)
        for found in _HIDDEN.finditer(text, low, min(len(text), word.end() + _LEAD)):
            # The window may have cut it off.
            match = _HIDDEN.match(text, found.start(), found.start() + 4 * _LEAD) or found
            spoken = match.group()[len(match["local"]) :]
            is_bare = not re.match(r"\s?[(\[{<]", spoken)
            if is_bare and not re.search(_DOT, spoken, re.IGNORECASE):
                continue
            yield Hit("email", *match.span())
            done = match.end()


def urls_with_credentials(text: str) -> Iterator[Hit]:
    """Yield URLs that carry a user and a password, to their end: paths hold tokens too."""
    at = text.find(_SCHEME_END)
    while at >= 0:
        scheme = _SCHEME.search(text, max(0, at - 32), at)
        after = at + len(_SCHEME_END)
        rest = _CREDENTIALS.match(text, after, after + 2400)
        if scheme and rest:
            end = rest.end()
            while text[end - 1] in ".,;:!?)]}":
                end -= 1
            yield Hit("url_credentials", scheme.start(), end)
        at = text.find(_SCHEME_END, after)
