"""Lines that hold a secret, and lines that only look so; new ones for each seed.

Nothing here knows how secrets are found.
"""

import base64
import json
import random
import string
from collections.abc import Iterator
from typing import NamedTuple

from tests.finetune.curate.secrets.generate_values import (
    TOKENS,
    hexadecimal,
    letters,
    password,
    pem,
)

__all__ = ["Labelled", "labelled_lines"]


class Labelled(NamedTuple):
    """A text with one secret in it."""

    kind: str
    text: str
    secret: str
    """What must not be left in the text."""


_SENTENCES = (
    "Hi, I get a 401 with {} since this morning, can you have a look?",
    "Please use {} for the staging server, thanks!",
    "My key is {}.",
    "I think I pasted the wrong one. It is {}, not the old one",
    "Why is `{}` refused?",
    "Here you go: {}",
    "Ich habe {} eingetragen, aber es geht nicht.",
    "我用的是{}\uff0c为什么不行\uff1f",
    'She wrote "{}" into the form.',
    "Set it to {}; then restart.",
    "**{}** is what the console shows",
    "({})",
)
_CODE = (
    'client = Client(api_key="{}")',
    "const client = new Client({{ apiKey: '{}' }});",
    "export SERVICE_API_KEY={}",
    '$env:SERVICE_KEY = "{}"',
    "headers = {{'Authorization': f'Bearer {}'}}",
    'curl -H "Authorization: Bearer {}" https://api.example.com/v1/things',
    "curl https://api.example.com/v1/things?access_token={}&page=2",
    "```python\nimport sdk\nsdk.login('{}')\n```",
    "set_key({})  # do not commit",
    "git clone https://oauth2:{}@git.example.com/team/project.git",
)
_LOGS = (
    "2026-03-04T11:22:33Z DEBUG http request header x-api-key={} status=401",
    "[error] worker 7: authentication failed for {} (retry 3)",
    '{{"level":"info","msg":"login","token":"{}","user":17}}',
    '{{"stdout":"connected\\n{}\\nbye"}}',
    "GET /v1/items?key={} HTTP/1.1 200 1532",
    'level=warn msg="bad credentials" value={} attempt=2',
)
_CONFIG = (
    "services:\n  api:\n    environment:\n      - API_TOKEN={}\n",
    "[service]\nhost = example.com\napi_key = {}\n",
    "api:\n  token: {}\n  timeout: 30\n",
    '{{\n  "apiKey": "{}",\n  "region": "eu"\n}}',
    '<appSettings><add key="ApiKey" value="{}"/></appSettings>',
    "//registry.example.com/:_authToken={}",
    "machine example.com login bob password {}",
)
_CARRIERS = (*_SENTENCES, *_CODE, *_LOGS, *_CONFIG)

_ASSIGNMENTS = (
    'password = "{}"',
    "password: {}",
    "Password: {}",
    "pwd: {}",
    "DB_PASSWORD={}",
    "export PGPASSWORD='{}'",
    "spring.datasource.password={}",
    '"password": "{}",',
    '{{\\"user\\": \\"bob\\", \\"password\\": \\"{}\\"}}',
    "const dbPassword = '{}';",
    'var passWord string = "{}"',
    'let password: string = "{}";',
    'String password = "{}";',
    '$config["password"] = "{}";',
    "define('DB_PASSWORD', '{}');",
    "<password>{}</password>",
    "Server=db;Database=shop;User Id=sa;Password={};Encrypt=True",
    "--password {}",
    "--password={}",
    "mysql -h db -u root -p{} shop",
    "curl -u admin:{} https://example.com/",
    "postgresql://shop:{}@db.internal:5432/shop",
    "My password is {}",
    "my password is {}, can you log in for me?",
    "The password for the router is {}",
    "password for bob: {}",
    "I changed my password to {} yesterday.",
    "login: bob, password: {}.",
    "user bob / pass: {}",
    "Mein Passwort ist {}",
    "Das Kennwort lautet {}",
    "Mi contraseña es {}",
    "mot de passe : {}",  # codespell:ignore mot
    "minha senha é {}",
    "Мой пароль: {}",
    "我的密码是{}",
    "パスワードは {} です",
    "password:\t{}",
    "| password | {} |",
    "**Password:** {}",
    "Password: `{}`",
    'setPassword("{}")',
    ":password => '{}'",
    'password="{}" # noqa',
    "DB_PASS: {}",
    "ansible_ssh_pass={}",
    "REDIS_URL=redis://:{}@cache:6379/0",
)
_KEYED = (
    'client_secret = "{}"',
    "clientSecret: '{}',",
    "CLIENT_SECRET={}",
    'api_key = "{}"',
    "API_KEY={}",
    "x-api-key: {}",
    'SECRET_KEY = "{}"',
    "the api key is {}",
    "access token: {}",
    "aws_secret_access_key = {}",
    "AWS_SECRET_ACCESS_KEY={}",
    '"secretAccessKey": "{}"',
    "auth_token: {}",
    "Authorization: Bearer {}",
    'signing_key: "{}"',
    "HEROKU_API_KEY={}",
    "CLOUDFLARE_API_TOKEN={}",
    "cohere_api_key={}",
    "webhook_secret = '{}'",
    '"refresh_token":"{}"',
    "encryption-key={}",
)


def labelled_lines(count: int, seed: int) -> Iterator[Labelled]:
    """Yield texts with a secret in each."""
    chance = random.Random(seed)
    makers = (_known, _known, _assigned, _keyed, _block, _login, _argument)
    for number in range(count):
        yield makers[number % len(makers)](chance)


def _known(chance: random.Random) -> Labelled:
    kind = chance.choice(list(TOKENS))
    token = TOKENS[kind](chance)
    secret = token
    if kind == "azure_connection":
        secret = token.split("Key=")[1].split(";")[0]
    elif kind.endswith("_webhook") and "://" in token:
        secret = token.rsplit("/", 1)[1]
    return Labelled(kind, chance.choice(_CARRIERS).format(token), secret)


def _assigned(chance: random.Random) -> Labelled:
    carrier, word = chance.choice(_ASSIGNMENTS), password(chance)
    while _breaks(carrier, word):
        word = password(chance)
    return Labelled(f"password in {carrier}", carrier.format(word), word)


def _breaks(carrier: str, word: str) -> bool:
    """Return whether a carrier would need the password in another writing."""
    if "://" in carrier:
        return any(c in word for c in "@#%/?+ ")
    return any(c in word for c in "$&*") and not ('"' in carrier or "'" in carrier)


def _keyed(chance: random.Random) -> Labelled:
    carrier = chance.choice(_KEYED)
    made = chance.choice(
        (
            lambda: letters(chance, chance.randrange(20, 64)),
            lambda: hexadecimal(chance, chance.choice([32, 40, 64])),
            lambda: letters(chance, 40, string.ascii_letters + string.digits + "+/"),
            lambda: base64.b64encode(chance.randbytes(32)).decode(),
            lambda: letters(chance, 40, string.ascii_lowercase + string.digits),
        )
    )()
    return Labelled(f"key in {carrier}", carrier.format(made), made)


def _block(chance: random.Random) -> Labelled:
    newline = chance.choice(("\n", "\n", "\r\n", "\\n"))
    is_whole = chance.random() < 0.8
    block = pem(
        chance,
        chance.choice(("RSA ", "EC ", "OPENSSH ", "", "ENCRYPTED ")),
        newline=newline,
        is_whole=is_whole,
    )
    carrier = chance.choice(
        (
            "{}",
            "I tried this key:\n{}\n\nand it was refused.",
            '{{"type": "service_account", "private_key": "{}"}}',
            "```\n{}\n```",
            'KEY="{}"',
        )
    )
    secret = chance.choice(block.split(newline)[1:5])
    return Labelled(
        f"private key, newline {newline!r}, whole {is_whole}", carrier.format(block), secret
    )


def _login(chance: random.Random) -> Labelled:
    user, word = (
        letters(chance, 6, string.ascii_lowercase),
        letters(chance, chance.randrange(8, 20)),
    )
    if chance.random() < 0.5:
        scheme = chance.choice(
            ("https", "postgres", "mongodb+srv", "amqp", "redis", "ftp", "mysql")
        )
        text = chance.choice(("use {}", "DATABASE_URL={}", '"url": "{}"', "see <{}>", "{}"))
        return Labelled(
            "login in a URL", text.format(f"{scheme}://{user}:{word}@db.example.org/x"), word
        )
    encoded = base64.b64encode(f"{user}:{word}".encode()).decode()
    text = chance.choice(
        (
            "Authorization: Basic {}",
            '{{"authorization": "Basic {}"}}',
            "-H 'Authorization: Basic {}'",
        )
    )
    return Labelled("basic header", text.format(encoded), encoded)


def _argument(chance: random.Random) -> Labelled:
    """Return the arguments of a tool call, as JSON."""
    if chance.random() < 0.5:
        word = password(chance)
        name = chance.choice(("password", "userPassword", "db_pass", "passphrase"))
    else:
        word = letters(chance, 32)
        name = chance.choice(("api_key", "accessToken", "clientSecret", "auth_token"))
    text = json.dumps(
        {"user": "bob", "options": {name: word}, "retries": 3}, indent=chance.choice((None, 2))
    )
    return Labelled(f"argument {name}", text, word)
