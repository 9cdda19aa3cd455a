"""Whether a value is a secret by its look, and no placeholder, name, or piece of code."""

import re

__all__ = ["is_password", "is_placeholder", "is_random"]

# Words that stand where a secret would stand, in documentation, in code and in sentences.
_NO_SECRETS = """
a access account admin administrator age alg algorithm all allowed alphanumeric an and any api
app application arg args argon argv as asc at attr auth authentication authorization base basic
bcrypt bearer bits blank blowfish body bool boolean bot bytes case change changeit changeme
char character characters chars client code config const count credential credentials
current data database db decode default demo deny desc disabled dummy elements else empty
enabled encode encoded encoder encrypted encryption end enter env error example expired
expires false field file filler fixture fixme float foo bar baz foobar from func function get
github google guest hash hashed hashing header headers hello here hex hidden hmac host html id
in incorrect index input insert int integer invalid is item json jwt key keys latin least len
length letmein letters level local localhost login lorem ipsum lower mask masked max md me
method min missing mock model must my mysql name new nil no none not null num number oauth obj
object of ok old on one openai openssl option optional or param params parse pass passwd
passphrase password passwords pbkdf placeholder please plus postgres private process prod
production prompt protected pseudo public put pwd qwerty raw read redacted redis reference
remove removed replace request required res reset response result return root rsa salt sample
schema scrypt secret secrets secure self server service session set setting settings sha short
show some something staging start state status std str string strong symbols sync system tbd
temp test testing text that the this three time tls tmp to todo token tokens true two txt type
uint unchanged undefined unknown unset update url use user username utf uuid val valid value
values var variable vector verify version void weak welcome with word words wrong x your yours
yes
"""
_WORDS = frozenset(_NO_SECRETS.split())
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+|[^A-Za-z0-9]+")
_STANDS_FOR = re.compile(
    r"""\$[A-Z_][A-Z0-9_]*$ | \$[a-z_][A-Za-z_.]*$ | \$?\$?\{.*\}?$ | \$\(.*\)?$
    | %\(?[A-Za-z_]+\)?[%s]?$ | <[^>]*>?$ | \[[A-Za-z _*\-]*\]?$ | \{\{ | \#\{ | @\{
    | :[a-z_]+$ | ENC\[ | \?+$
    | !(?:vault|Ref|Sub|GetAtt|ImportValue|secret|env_var)\b | &[a-z]+; | \\u003[cC]""",
    re.VERBOSE,
)
_SAYS_SO = re.compile(
    r"""example | place-?_?holder | change-?_?me | redacted | your[-_ ]?(?:own|api|key|token)
    | your[-_ ]?(?:secret|pass) | \.\.\.|\u2026 | [*\u2022]{3} | x{4} | (.)\1{5} | 123456789
    | abcdefgh | deadbeef
    | insert[-_ ] | replace[-_ ] | (?:goes|put|token|key|secret|password)[-_ ]?here
    | dummy | sample""",
    re.VERBOSE | re.IGNORECASE,
)
# What fetches a secret, or another name for it, is none.
_CODE = re.compile(
    r"""(?:process\.env | os\.(?:environ|getenv) | (?:std::)?env(?:::var)? | getenv | import\.meta
    | secrets? | vault | ssm | config | settings | self | this | args? | params? | request | req
    | ctx | options | credentials? | data | input | user | event | props | form | body | arn:aws
    | kubernetes | keyring | secretsmanager | op://| new\s | await\s | lambda )(?:[.\[(:/ ]|->|$)
    | [A-Za-z_][\w.]*\( | [A-Za-z_][\w.]*\[[\w"':\-]*(?:\[|\]?$) | (?:[a-z_]+\.)+[a-z_A-Z]+$
    | /[\w.-]+/[\w./-]+$ | \([a-z]+$ | \.{1,2}/ | https?:// | \w+->
    | [A-Z][A-Z0-9_]*_(?:KEY|TOKEN|SECRET|PASSWORD|PASS|PWD)$""",
    re.VERBOSE,
)
_TEXT = re.compile(r"[A-Z]?[a-z]+(?:[-_./ ][A-Za-z]?[a-z]*)*$")
_SEQUENCES = "01234567890123456789012345678909876543210987654321"
_HASH = re.compile(r"(?:sha(?:1|224|256|384|512)|md5)[-:$=]", re.IGNORECASE)
_DATE = re.compile(
    r"(?:19|20)[0-9]{2}[-/.]?[01][0-9][-/.]?[0-3][0-9](?:[T ].*)?$|v?[0-9]+(?:\.[0-9]+)+$"
)


def is_placeholder(value: str) -> bool:
    """Return whether a value only shows where a secret belongs, such as `<TOKEN>` or `changeme`."""
    if len(set(value)) <= 3 or _STANDS_FOR.match(value) or _SAYS_SO.search(value):
        return True
    return all(_means_nothing(part) for part in _PARTS.findall(value))


def is_password(value: str, *, is_bare: bool = False) -> bool:
    """Return whether a value that was called a password can be one.

    Args:
        value: The value.
        is_bare: It stood without quotes, where a name or an expression may stand as well.
    """
    if not 5 <= len(value) <= 512 or is_placeholder(value) or _CODE.match(value):
        return False
    if _TEXT.match(value) or _DATE.match(value) or _HASH.match(value):
        return False
    letters = any(c.isalpha() for c in value)
    digits = any(c.isdigit() for c in value)
    if not letters:
        return digits and len(value) >= 6 and not (is_bare and len(value) > 20)
    signs = any(not c.isalnum() and c not in "-_./:, " for c in value)
    if " " in value:  # quoted: a sentence has more letters than a password has signs
        return digits and signs and not is_bare and value.count(" ") <= 2
    return digits or signs


def is_random(value: str, shortest: int = 16) -> bool:
    """Return whether a value was made by a machine to be unguessable, not put together of words."""
    if len(value) < shortest or is_placeholder(value):
        return False
    if _is_name(value):
        return False
    kinds = [_kind(c) for c in value]
    changes = 0
    previous, before = kinds[0], -1
    for kind in kinds[1:]:
        # A capital letter that begins a word is one change, not two.
        if kind != previous and not (previous == 1 and kind == 0 and before in (-1, 0, 3)):
            changes += kind != 3 and previous != 3
        before, previous = previous, kind
    if 2 not in kinds:
        return changes >= 0.28 * len(value)
    if 1 not in kinds and 3 not in kinds and len(value) >= 24:
        return changes >= 4  # with few digits among them, letters change seldom
    return changes >= 0.17 * len(value)


def _is_name(value: str) -> bool:
    """Return whether a value is put together of words, as `Ed25519PrivateKey` is."""
    parts = _PARTS.findall(value)
    numbers = sum(part[0].isdigit() for part in parts)
    return numbers <= 1 and all(
        part.isalnum() and (len(part) > 1 or part.isdigit()) for part in parts
    )


def _kind(character: str) -> int:
    if character.isdigit():
        return 2
    if character.isupper():
        return 1
    return 0 if character.isalpha() else 3


def _means_nothing(part: str) -> bool:
    if part[0].isdigit():
        return part in _SEQUENCES or len(set(part)) == 1
    if part[0].isalpha():
        return part.lower() in _WORDS or (len(part) > 1 and len(set(part.lower())) == 1)
    return part.strip("-_.:/$= ") == ""
