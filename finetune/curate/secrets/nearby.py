"""Secrets without a beginning of their own, known by a mark inside or by a word close by."""

import re
from functools import partial

from finetune.curate.secrets.likely import is_placeholder, is_random
from finetune.curate.secrets.rule import Rule, Span, extended

__all__ = ["NEARBY"]

_BEFORE = 160
"""A token that holds its mark begins at most so many characters before it."""


def _inside(left: re.Pattern[str], right: re.Pattern[str], text: str, at: int) -> Span | None:
    """Return a token that an anchor stands in the middle of."""
    after = right.match(text, at)
    if after is None:
        return None
    before = left.search(text, max(0, at - _BEFORE), at)
    if before is None or is_placeholder(text[before.start() : after.end()]):
        return None
    return Span(before.start(), after.end())


def _close_by(pattern: re.Pattern[str], reach: int, text: str, at: int) -> Span | None:
    """Return a token behind a word that says what it is."""
    for match in pattern.finditer(text, at, at + reach):
        if is_random(match[1]):
            return Span(*match.span(1))
    return None


def _behind(pattern: re.Pattern[str], text: str, at: int) -> Span | None:
    """Return a token right behind its name."""
    match = pattern.match(text, at)
    if match is None or not is_random(match[1]):
        return None
    return extended(Span(*match.span(1)), text, _REST)


_REST = re.compile(r"[\w%+/=\-]*")


def _marked(name: str, anchor: str, left: str, right: str) -> Rule:
    find = partial(
        _inside, re.compile(rf"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))(?:{left})\Z"), re.compile(right)
    )
    return Rule(name, (anchor,), find)


def _near(name: str, anchors: str, pattern: str, reach: int) -> Rule:
    found = re.compile(rf"(?<![0-9A-Za-z/+])({pattern})(?![0-9A-Za-z/+=])")
    return Rule(name, tuple(anchors.split()), partial(_close_by, found, reach))


def _named(name: str, anchor: str, pattern: str) -> Rule:
    found = re.compile(rf"{re.escape(anchor)}({pattern})", re.IGNORECASE)
    return Rule(name, (anchor,), partial(_behind, found))


_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"

NEARBY = (
    _marked("telegram_token", ":aa", r"[0-9]{8,10}", r":A[A-Za-z][\w\-]{32,60}"),
    _marked("discord_token", ".g", r"[MNO][A-Za-z0-9_\-]{22,27}", r"\.G[\w\-]{5}\.[\w\-]{27,60}"),
    _marked("mailchimp_key", "-us", r"[0-9a-f]{32}", r"-us[0-9]{1,2}\b"),
    _marked("azure_client_secret", "q~", r"[\w.~\-]{3}[0-9]", r"Q~[\w.~\-]{31,60}"),
    _marked("terraform_token", ".atlasv1.", r"[A-Za-z0-9]{14}", r"\.atlasv1\.[\w\-=]{60,400}"),
    _near("aws_secret_key", "akia asia", r"[A-Za-z0-9/+]{40}", 200),
    _near("twilio_token", "twilio", r"(?:SK)?[0-9a-f]{32}", 120),
    _near("mailgun_key", "mailgun", r"[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}", 120),
    _near("heroku_key", "heroku_api_key heroku_key heroku_token", _UUID, 80),
    _named("azure_key", "accountkey=", r"[A-Za-z0-9+/]{40,400}={0,2}"),
    _named("azure_key", "sharedaccesskey=", r"[A-Za-z0-9+/]{40,400}={0,2}"),
    _named("signature", "sig=", r"[A-Za-z0-9%+/\-_]{32,400}={0,2}"),
    _named("signature", "x-amz-signature=", r"[0-9a-f]{64}"),
    _named("signature", "x-amz-security-token=", r"[A-Za-z0-9%+/=\-_]{60,400}"),
)
"""The rules for all of them."""
