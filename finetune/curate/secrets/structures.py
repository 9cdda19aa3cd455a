"""Secrets that are known by how they are built: private keys, signed tokens, addresses, headers."""

import base64
import binascii
import json
import re

from finetune.curate.secrets.likely import is_password, is_placeholder, is_random
from finetune.curate.secrets.rule import Rule, Span, begins, extended

__all__ = ["STRUCTURES"]

_HEADER = re.compile(r"-{4,5} ?BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)? ?-{4,5}")
_FOOTER = re.compile(r"-{3,5} ?END [A-Z0-9 ]{3,60}-{0,5}")
# What stands between the lines of a key: quotation marks, escapes, marks of quoted mail, a plus.
_GAP = r"(?:\\+[nr]|[\s>|\"'`+,;\\#*/.]){0,40}"
_LINES = re.compile(
    rf"(?:{_GAP}(?:[\w\-]{{2,30}}: [^\n\\]{{1,200}}(?=[\n\\])|[A-Za-z0-9+/=]{{30,}}))+"
)
_LAST_LINE = re.compile(rf"{_GAP}[A-Za-z0-9+/]{{1,90}}={{0,2}}(?![A-Za-z0-9+/=,.?!' ])")
_LONG = re.compile(r"[A-Za-z0-9+/]{30,}")
_PUTTY = re.compile(r"Private-Lines: ?[0-9]{1,4}")


def _private_key(text: str, at: int) -> Span | None:
    r"""Return the whole block, also one without its last line, or in one line with `\n`."""
    header = _HEADER.match(text, at)
    if header is None:
        return None
    end = text.find("----", header.end())
    footer = None if end < 0 else _FOOTER.match(text, end)
    if footer is not None:
        body = text[header.end() : end]
        return Span(at, footer.end()) if _holds_key(body) else None
    return _block(text, at, header.end())


def _putty_key(text: str, at: int) -> Span | None:
    header = _PUTTY.match(text, at)
    return None if header is None else _block(text, at, header.end())


def _block(text: str, at: int, body: int) -> Span | None:
    lines = _LINES.match(text, body)
    if lines is None or not _holds_key(lines.group()):
        return None
    last = _LAST_LINE.match(text, lines.end())
    return Span(at, last.end() if last else lines.end())


def _holds_key(body: str) -> bool:
    if any(not is_placeholder(run) for run in _LONG.findall(body)):
        return True
    # Lines may be folded shorter than usual.
    plain = re.sub(r"\\+[nr]|[^A-Za-z0-9+/=]", "", body)
    return len(plain) >= 64 and len(body) < 3 * len(plain) and is_random(plain)


_JWT = re.compile(r"(eyJ[\w\-]{8,4000})\.([\w\-]{4,20000})\.[\w\-]*(?:\.[\w\-]+){0,2}")


def _jwt(text: str, at: int) -> Span | None:
    match = _JWT.match(text, at)
    if match is None or not begins(text, at):
        return None
    header = _decoded(match[1])
    try:
        known = json.loads(header) if header else None
    except (ValueError, RecursionError):
        return None
    is_token = isinstance(known, dict) and ("alg" in known or "typ" in known)
    return Span(*match.span()) if is_token else None


def _decoded(text: str) -> bytes | None:
    """Return what a text in base64, also in the form for URLs, stands for."""
    try:
        return base64.b64decode(
            text.replace("-", "+").replace("_", "/").rstrip("=")
            + "=" * (-len(text.rstrip("=")) % 4),
            validate=True,
        )
    except (binascii.Error, ValueError):
        return None


_LOGIN = re.compile(r"://([^\s/:@\"'<>`?#\\]{0,128}):([^\s/\"'<>`\\]{2,256})@(?=[\w\[.\-{$<%])")
_TOKEN_LOGIN = re.compile(r"://([\w.\-]{20,256})(?::(?:x-oauth-basic)?)?@[\w\[]")
_USUAL_LOGINS = "postgres root mysql admin guest user test rabbitmq redis mongo pass tiger"
_USUAL = frozenset(_USUAL_LOGINS.split())


def _url_login(text: str, at: int) -> Span | None:
    match = _LOGIN.match(text, at)
    if match is not None:
        word = match[2]
        if is_placeholder(word) or word.lower() in _USUAL or word.startswith(("$", "{", "%(", "<")):
            return None
        return Span(*match.span(2))
    match = _TOKEN_LOGIN.match(text, at)
    return Span(*match.span(1)) if match is not None and is_random(match[1]) else None


_BEARER = re.compile(
    r"bearer(?:\\?[\"'`])?[\s:=]{1,3}(?:\\?[\"'`])?([\w.~+/\-]{12,400}=*)", re.IGNORECASE
)
_BASIC = re.compile(r"basic ([A-Za-z0-9+/_\-]{6,2000}={0,2})", re.IGNORECASE)
_RAW_HEADER = re.compile(
    r"authorization(?:\\?[\"'`])?\]?[ \t]{0,4}[:=,][ \t]{0,4}(?:\\?[\"'`])?"
    r"(?:(?:token|key|apikey|api-key|ssws|digest|negotiate|pat|oauth|hmac|splunk) )?"
    r"([\w.~+/\-=:]{16,400})",
    re.IGNORECASE,
)
_COOKIE = re.compile(
    r"cookie(?:\\?[\"'`])?[ \t]{0,2}[:=][ \t]{0,2}(?:\\?[\"'`])?[^\n]{0,200}?"
    r"(?:sess\w{0,30}|sid|auth\w{0,30}|token|jwt|remember\w{0,30}|connect\.sid|phpsessid|jsessionid)"
    r"=([\w%.~+/\-]{16,400})",
    re.IGNORECASE,
)


_REST = re.compile(r"[\w%.~+/\-=]*")


def _bearer(text: str, at: int) -> Span | None:
    match = _BEARER.match(text, at)
    if match is None or not is_random(match[1], 12):
        return None
    return extended(Span(*match.span(1)), text, _REST)


def _basic(text: str, at: int) -> Span | None:
    match = _BASIC.match(text, at)
    if match is None or not begins(text, at):
        return None
    plain = _decoded(match[1])
    if plain is None or b":" not in plain:
        return None
    try:
        user, _, word = plain.decode("utf-8").partition(":")
    except UnicodeDecodeError:
        return None
    is_login = (user + word).isprintable() and word and not (is_placeholder(word) and user != word)
    return Span(*match.span(1)) if is_login else None


def _raw_header(text: str, at: int) -> Span | None:
    match = _RAW_HEADER.match(text, at)
    if match is None or not is_random(match[1]):
        return None
    return extended(Span(*match.span(1)), text, _REST)


def _cookie(text: str, at: int) -> Span | None:
    match = _COOKIE.match(text, at)
    if match is None or not is_random(match[1]):
        return None
    return extended(Span(*match.span(1)), text, _REST)


_OPTION = re.compile(
    r"(?:-u|--user|--proxy-user)[ =]?(?:\\?[\"'])?([^\s:\"'\\@/]{1,64}):([^\s\"'\\]{3,256})"
)
_GLUED = re.compile(
    r"(?:mysql|mysqldump|mysqladmin|mariadb|sshpass)(?=[ \t])[^\n|;&]{0,120}?[ \t]-p"
    r"(?:[ \t]?(?:\\?[\"']))?([^\s\"'\\]{4,256})"
)


def _option(text: str, at: int) -> Span | None:
    match = _OPTION.match(text, at)
    if match is None or not (at == 0 or text[at - 1].isspace()):
        return None
    is_id = match[1].isdigit() and match[2].isdigit()  # `docker run -u 1000:1000`
    word = match[2].rstrip(",;)")
    found = not is_id and (is_password(word, is_bare=True) or is_random(word))
    return Span(match.start(2), match.start(2) + len(word)) if found else None


def _glued(text: str, at: int) -> Span | None:
    match = _GLUED.match(text, at)
    return (
        Span(*match.span(1)) if match is not None and is_password(match[1], is_bare=True) else None
    )


_WEBHOOKS = (
    (
        "slack_webhook",
        "hooks.slack.com/",
        r"(?:services|workflows|triggers)/([A-Za-z0-9+/_\-]{20,})",
    ),
    ("discord_webhook", "/api/webhooks/", r"([0-9]{15,20}/[\w\-]{40,})"),
    ("teams_webhook", "webhook.office.com/", r"webhookb2/([\w@\-/]{60,})"),
    (
        "google_chat_webhook",
        "chat.googleapis.com/",
        r"v1/spaces/([\w\-]{6,}/messages\?key=[\w\-%&=]{40,})",
    ),
    ("zapier_webhook", "hooks.zapier.com/", r"hooks/catch/([0-9]{4,}/[a-z0-9]{5,})"),
    ("telegram_token", "api.telegram.org/bot", r"([0-9]{8,10}:[\w\-]{35})"),
)


def _webhook(name: str, host: str, path: str) -> Rule:
    pattern = re.compile(re.escape(host) + path, re.IGNORECASE)

    def find(text: str, at: int) -> Span | None:
        match = pattern.match(text, at)
        return None if match is None or is_placeholder(match[1]) else Span(*match.span(1))

    return Rule(name, (host,), find)


STRUCTURES = (
    Rule("private_key", ("-----begin", "---- begin"), _private_key),
    Rule("private_key", ("private-lines",), _putty_key),
    Rule("jwt", ("eyj",), _jwt),
    Rule("url_login", ("://",), _url_login),
    Rule("bearer_token", ("bearer",), _bearer),
    Rule("basic_login", ("basic ",), _basic),
    Rule("authorization", ("authorization",), _raw_header),
    Rule("session_cookie", ("cookie",), _cookie),
    Rule("login_option", ("-u", "--user", "--proxy-user"), _option),
    Rule("password", ("mysql", "mariadb", "sshpass"), _glued),
    *(_webhook(*parts) for parts in _WEBHOOKS),
)
"""The rules for all of them."""
