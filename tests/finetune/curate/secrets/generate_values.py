"""Secrets made at run time: each kind as its issuer writes it, random, and valid for nobody.

Nothing here knows how secrets are found. Prefixes are put together from pieces, so that no
scanner takes this file for a leak.
"""

import base64
import json
import random
import string
from collections.abc import Callable

__all__ = ["TOKENS", "hexadecimal", "letters", "password", "pem"]

_ALNUM = string.ascii_letters + string.digits
_URL = _ALNUM + "-_"
_B64 = _ALNUM + "+/"
_HEX = "0123456789abcdef"
_UPPER = string.ascii_uppercase + string.digits


def letters(chance: random.Random, count: int, alphabet: str = _ALNUM) -> str:
    """Return random characters."""
    return "".join(chance.choice(alphabet) for _ in range(count))


def hexadecimal(chance: random.Random, count: int) -> str:
    """Return random hexadecimal digits."""
    return letters(chance, count, _HEX)


def _url(chance: random.Random, count: int) -> str:
    # A token that ends in a hyphen is not told from the punctuation behind it, by nobody.
    return letters(chance, count - 1, _URL) + chance.choice(_ALNUM)


def _jwt(chance: random.Random) -> str:
    header = {"alg": chance.choice(["HS256", "RS256", "ES256"]), "typ": "JWT"}
    payload = {
        "sub": hexadecimal(chance, 12),
        "exp": chance.randrange(1_700_000_000, 1_900_000_000),
    }
    parts = [
        base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=")
        for p in (header, payload)
    ]
    return ".".join([*parts, _url(chance, 43)])


def pem(chance: random.Random, kind: str, *, newline: str = "\n", is_whole: bool = True) -> str:
    """Return a private key's block.

    Args:
        chance: Where it comes from.
        kind: `RSA `, `EC `, `OPENSSH `, or nothing.
        newline: What stands between its lines.
        is_whole: Whether the last line is there.
    """
    dashes = "-" * 5
    body = letters(chance, chance.randrange(300, 1600), _B64) + "="
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    first = f"{dashes}BEGIN {kind}PRIVATE KEY{dashes}"
    last = [f"{dashes}END {kind}PRIVATE KEY{dashes}"] if is_whole else []
    return newline.join([first, *lines, *last])


def password(chance: random.Random) -> str:
    """Return a password as people and password managers make them."""
    first, second = chance.sample(_NOUNS.split(), 2)
    number = str(chance.randrange(10, 9999))
    sign = chance.choice("!@#$%&*")
    style = chance.randrange(7)
    if style == 0:
        return first + number
    if style == 1:
        return first.title() + number + sign
    if style == 2:
        return f"{first.title()}-{second.title()}-{number}"
    if style == 3:
        return first.replace("a", "4").replace("e", "3").replace("o", "0") + sign + number
    if style == 4:
        return letters(chance, chance.randrange(10, 20)) + number
    if style == 5:
        return letters(chance, chance.randrange(9, 24), _ALNUM + "!@#%^*_+=") + sign + number[0]
    return f"{second}{sign}{first}{number}"


_NOUNS = """
sunset dragon monkey winter garden rocket banana falcon marble copper thunder meadow pirate velvet
hunter orange coffee bishop castle desert engine forest guitar harbor island jacket kitten lemon
"""

TOKENS: dict[str, Callable[[random.Random], str]] = {
    "openai": lambda c: "s" + "k-" + letters(c, 48),
    "openai_project": lambda c: "s" + "k-pr" + "oj-" + _url(c, c.choice([48, 124, 156])),
    "openai_service": lambda c: "s" + "k-svc" + "acct-" + _url(c, 124),
    "anthropic": lambda c: "s" + "k-an" + "t-api03-" + _url(c, 93) + "AA",
    "anthropic_oauth": lambda c: "s" + "k-an" + "t-oat01-" + _url(c, 93) + "AA",
    "openrouter": lambda c: "s" + "k-or" + "-v1-" + hexadecimal(c, 64),
    "deepseek": lambda c: "s" + "k-" + hexadecimal(c, 32),
    "google": lambda c: "AI" + "za" + "Sy" + _url(c, 33),
    "google_oauth": lambda c: "GOC" + "SPX-" + _url(c, 28),
    "google_access": lambda c: "ya" + "29." + _url(c, 120),
    "hugging_face": lambda c: "h" + "f_" + letters(c, 34, string.ascii_letters),
    "groq": lambda c: "gs" + "k_" + letters(c, 52),
    "xai": lambda c: "xa" + "i-" + letters(c, 80),
    "replicate": lambda c: "r" + "8_" + letters(c, 37),
    "perplexity": lambda c: "ppl" + "x-" + letters(c, 48),
    "together": lambda c: "tg" + "p_v1_" + _url(c, 43),
    "nvidia": lambda c: "nv" + "api-" + _url(c, 64),
    "github": lambda c: "gh" + c.choice("pousr") + "_" + letters(c, 36),
    "github_fine": lambda c: "github" + "_pat_" + letters(c, 22) + "_" + letters(c, 59),
    "gitlab": lambda c: "gl" + "pat-" + _url(c, 20),
    "gitlab_routable": lambda c: "gl" + "pat-" + _url(c, 40) + "." + letters(c, 9, _HEX),
    "npm": lambda c: "np" + "m_" + letters(c, 36),
    "pypi": lambda c: "py" + "pi-AgEIcHlwaS5vcmc" + _url(c, 150),
    "rubygems": lambda c: "ruby" + "gems_" + hexadecimal(c, 48),
    "docker": lambda c: "dckr" + "_pat_" + _url(c, 27),
    "slack_bot": lambda c: (
        "xo"
        + "xb-"
        + f"{c.randrange(10**11, 10**12)}-{c.randrange(10**12, 10**13)}-"
        + letters(c, 24)
    ),
    "slack_user": lambda c: (
        "xo"
        + "xp-"
        + "-".join(str(c.randrange(10**11, 10**12)) for _ in range(3))
        + "-"
        + hexadecimal(c, 32)
    ),
    "slack_app": lambda c: (
        "xa"
        + "pp-1-A"
        + letters(c, 10, _UPPER)
        + f"-{c.randrange(10**12, 10**13)}-"
        + hexadecimal(c, 64)
    ),
    "slack_webhook": lambda c: (
        "https://hooks.sl"
        + "ack.com/services/T"
        + letters(c, 8, _UPPER)
        + "/B"
        + letters(c, 10, _UPPER)
        + "/"
        + letters(c, 24)
    ),
    "discord_webhook": lambda c: (
        "https://dis" + f"cord.com/api/webhooks/{c.randrange(10**17, 10**18)}/" + _url(c, 68)
    ),
    "discord_bot": lambda c: "MT" + letters(c, 24) + ".G" + _url(c, 5) + "." + _url(c, 38),
    "telegram": lambda c: f"{c.randrange(10**9, 10**10)}:AA" + _url(c, 33),
    "aws": lambda c: (
        c.choice(["AK", "AS"]) + "IA" + letters(c, 16, string.ascii_uppercase + "234567")
    ),
    "azure_connection": lambda c: (
        "DefaultEndpointsProtocol=https;AccountName="
        + letters(c, 9, _HEX)
        + ";Account"
        + "Key="
        + letters(c, 86, _B64)
        + "==;EndpointSuffix=core.windows.net"
    ),
    "azure_secret": lambda c: letters(c, 3) + "8" + "Q~" + letters(c, 34),
    "digitalocean": lambda c: "do" + "p_v1_" + hexadecimal(c, 64),
    "databricks": lambda c: "da" + "pi" + hexadecimal(c, 32),
    "vault": lambda c: "hv" + "s." + _url(c, 95),
    "terraform": lambda c: letters(c, 14) + ".atla" + "sv1." + _url(c, 67),
    "stripe": lambda c: c.choice(["sk", "rk"]) + "_li" + "ve_" + letters(c, c.choice([24, 99])),
    "stripe_webhook": lambda c: "whs" + "ec_" + letters(c, 32),
    "square": lambda c: "sq0" + "atp-" + _url(c, 22),
    "square_access": lambda c: "EA" + "AA" + _url(c, 60),
    "shopify": lambda c: "shp" + "at_" + hexadecimal(c, 32),
    "twilio": lambda c: "S" + "K" + hexadecimal(c, 32),
    "sendgrid": lambda c: "S" + "G." + _url(c, 22) + "." + _url(c, 43),
    "mailgun": lambda c: "ke" + "y-" + hexadecimal(c, 32),
    "mailchimp": lambda c: hexadecimal(c, 32) + "-u" + f"s{c.randrange(1, 22)}",
    "brevo": lambda c: "xkey" + "sib-" + hexadecimal(c, 64) + "-" + letters(c, 16),
    "notion": lambda c: "nt" + "n_" + letters(c, 46),
    "linear": lambda c: "lin" + "_api_" + letters(c, 40),
    "figma": lambda c: "fig" + "d_" + _url(c, 40),
    "airtable": lambda c: "pa" + "t" + letters(c, 14) + "." + hexadecimal(c, 64),
    "grafana": lambda c: "gl" + "sa_" + letters(c, 32) + "_" + hexadecimal(c, 8),
    "new_relic": lambda c: "NR" + "AK-" + letters(c, 27, _UPPER),
    "sentry": lambda c: "sntr" + "ys_" + letters(c, 120),
    "postman": lambda c: "PM" + "AK-" + hexadecimal(c, 24) + "-" + hexadecimal(c, 34),
    "supabase": lambda c: "sb" + "p_" + hexadecimal(c, 40),
    "langsmith": lambda c: "ls" + "v2_pt_" + hexadecimal(c, 32) + "_" + hexadecimal(c, 10),
    "pinecone": lambda c: "pc" + "sk_" + letters(c, 6) + "_" + letters(c, 62),
    "jwt": _jwt,
}
"""Tokens that are known wherever they stand, by kind. The text may hold more than the secret."""
