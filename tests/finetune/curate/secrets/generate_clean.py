"""Lines without secrets that look as if they had some: new ones for each seed.

Nothing here knows how secrets are found.
"""

import base64
import hashlib
import json
import random
import string
from collections.abc import Callable, Iterator

from tests.finetune.curate.secrets.generate_values import hexadecimal, letters

__all__ = ["clean_lines"]

_PROSE = (
    "I forgot my password, how do I reset it?",
    "The password is incorrect, and after three attempts the account is locked.",
    "Your password must be at least {n} characters long and contain one digit.",
    "Passwords: never write them down, never share them.",
    "password: must contain 8 to {n} characters",
    "The secret to a good pizza is patience, the key is a hot oven of {n} degrees.",
    "A token of my appreciation for {n} years of work.",
    "The API key is in the settings, under Account > Keys; it has {n} characters.",
    "Press the Enter key {n} times, then the F5 key.",
    "The key to the shed hangs next to door {n}.",
    "This model has a context of {n}000 tokens; each token costs $0.0000{n}.",
    "max_tokens: {n}, tokens per second: {n}.5",
    "You get a bearer token by calling the login endpoint, it expires after {n} minutes.",
    "We store passwords as bcrypt hashes with a cost of {n}.",
    "Basic authentication sends the user's name and password in base64.",
    "Set the Authorization header to 'Bearer <token>', then call /v{n}/items.",
    "Which password manager do you recommend in 2{n}?",
    "The password was changed on 2025-03-{n} by the administrator.",
    "My credentials are a PhD in chemistry and {n} years in the lab.",
    "What is the difference between a primary key and a foreign key in SQL:2016?",
    "Secret santa: budget {n} euros, draw on Friday!",
    "Le mot de passe est incorrect.",  # codespell:ignore mot
    "Das Passwort ist falsch. La contraseña es incorrecta.",
    "Пароль должен содержать не менее {n} символов.",
    "密码必须至少包含{n}个字符。",
    "パスワードは{n}文字以上で入力してください。",
    "Passwort vergessen? Das Passwort ist mindestens {n} Zeichen lang.",
    "The door code? Ask the concierge in room {n}.",
    "password is case-sensitive",
    "password: see the note in the safe",
    "password for the guest network: ask at the desk, room {n}",
    "the token is invalid or expired (error {n})",
    "Keys and tokens are rotated every {n} days.",
    "token: required, string",
    "I'd like to change my password to something stronger.",
    "Is the password the same as for Office365?",
    "The keynote on OAuth2.0 and SHA-256 starts at {n}:30.",
    "My key takeaways: 1) ship early, 2) measure, {n}) rest.",
    "This passage is from chapter {n}, the passenger boards at gate B{n}.",
    "Two-factor: a password and a code sent to your phone.",
)
_PLACEHOLDERS = (
    "password: ********",
    'password = "changeme"',
    "api_key = 'your-api-key'",
    'api_key="YOUR_API_KEY"',
    "OPENAI_API_KEY=sk-...",
    "OPENAI_API_KEY=s" + "k-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "export TOKEN=<TOKEN>",
    "token: ${TOKEN}",
    "TOKEN=${{ secrets.GITHUB_TOKEN }}",
    'password = os.environ["DB_PASSWORD"]',
    "password = os.getenv('DB_PASSWORD', '')",
    "const token = process.env.API_TOKEN;",
    "secret: {{ vault_secret }}",
    "password: {{ .Values.db.password }}",
    "password: !vault db_password",
    "DATABASE_URL=postgres://user:password@localhost:5432/db",
    "DATABASE_URL=postgres://${USER}:${PASS}@${HOST}/db",
    "https://<user>:<password>@example.com/",
    "mongodb://username:password@host:27017/",
    "postgresql://postgres:postgres@db:5432/postgres",
    "amqp://guest:guest@localhost:5672/",
    "AWS_ACCESS_KEY_ID=AK" + "IAIOSFODNN7EXAMPLE",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPx" + "RfiCYEXAMPLEKEY",
    "GITHUB_TOKEN=gh" + "p_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    'token = "gh' + 'p_your_token_here"',
    "Authorization: Bearer <your-access-token>",
    "Authorization: Bearer $TOKEN",
    "Authorization: Basic <base64(user:password)>",
    "curl -u user:password https://example.com",
    "curl -u $USER:$PASS https://example.com",
    "mysql -u root -p",
    "docker run -u 1000:1000 alpine",
    "client_secret=REPLACE_ME",
    "client_secret: [redacted]",
    "password=[FILTERED]",
    "SECRET_KEY = 'insert-your-secret-here'",
    'secret_key: "dummy-secret-for-tests"',
    "password: None",
    "password: null",
    '"password": "string"',
    '"password": {"type": "string", "minLength": 8}',
    "password: str = Field(min_length=12)",
    "password: SecretStr",
    "def login(user: str, password: str | None = None) -> Token:",
    "if (password !== confirmPassword) return false;",
    "password = input('Password: ')",
    "password = getpass.getpass()",
    "token = jwt.encode(payload, secret, algorithm='HS256')",
    "const token = await getToken(user.id);",
    "token = tokens[i + 1]",
    "tokens = tokenizer.encode(text)",
    "key = f'{user_id}:{page}'",
    "key=lambda item: item[1]",
    "let secret = rng.gen::<[u8; 32]>();",
    "password_hash = bcrypt.hashpw(password, bcrypt.gensalt())",
    "this.password = password;",
    "self._token = token",
    "args.password = args.password or config.password",
    "{ password: 'Please enter your password.' }",
    "'wrong-password': 'The password is wrong.'",
    "auth/invalid-password-2",
    'placeholder="Password" type="password"',
    '<input type="password" name="password" id="password1">',
    "<password>string</password>",
    "ssh-keygen -t ed25519 -f ~/.ssh/id_ed25519",
    "secretName: prod-db-credentials",
    "secretKeyRef: {name: db-secret, key: password}",
    "secret: my-app-secret-v2",
    "token_type: bearer, expires_in: 3600",
    "token_endpoint: https://auth.example.com/oauth2/v1/token",
    "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\n<your key>\n-----END RSA PRIVATE KEY-----",
    "The file begins with -----BEGIN OPENSSH PRIVATE KEY----- and must have mode 600.",
    '{"private_key": "-----BEGIN PRIVATE KEY-----\\nYOUR KEY\\n-----END PRIVATE KEY-----\\n"}',
    "HUGGING_FACE_TOKEN=h" + "f_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "export ANTHROPIC_API_KEY='s" + "k-an" + "t-api03-YOUR-KEY-HERE'",
    "password: test1234",
    "password=password123",
    "PASSWORD=secret",
    "keyring.get_password('service', 'user')",
    "--password-file /run/secrets/db_password",
    '--password "$DB_PASSWORD"',
    "password: $(cat /run/secrets/db)",
    "password = secrets.token_urlsafe(32)",
    "api_key=api_key,",
    "apiKey: config.apiKey2,",
    "passphrase: undefined",
    "setToken(null)",
)
_CSS = "sk-folding-cube sk-circle-fade-dot sk-wander sk-three-bounce task-list-item-2 risk-high-3"


def clean_lines(count: int, seed: int) -> Iterator[str]:
    """Yield lines without any secret."""
    chance = random.Random(seed)
    makers: tuple[Callable[[random.Random], str], ...] = (
        lambda c: c.choice(_PROSE).format(n=c.randrange(10, 99)),
        lambda c: c.choice(_PLACEHOLDERS),
        _hash,
        _identifier,
        _encoded,
        _code,
        _product,
        _address,
        _table,
    )
    for number in range(count):
        yield makers[number % len(makers)](chance)


def _hash(chance: random.Random) -> str:
    data = chance.randbytes(16)
    finger = base64.b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    return chance.choice(
        (
            f"commit {hashlib.sha1(data).hexdigest()}",
            f"Fixed in {hashlib.sha1(data).hexdigest()[:10]}, please update.",
            f"sha256:{hashlib.sha256(data).hexdigest()}",
            f"{hashlib.md5(data).hexdigest()}  ubuntu-24.04.iso",
            f'"integrity": "sha512-{base64.b64encode(hashlib.sha512(data).digest()).decode()}"',
            f'ETag: "{hashlib.md5(data).hexdigest()}"',
            f"image: registry.example.com/app@sha256:{hashlib.sha256(data).hexdigest()}",
            f"uses: actions/checkout@{hashlib.sha1(data).hexdigest()} # v4",
            f"cache key: linux-pip-{hashlib.sha256(data).hexdigest()}",
            f'cache_key = "{hashlib.md5(data).hexdigest()}"',
            f"key: ${{{{ runner.os }}}}-npm-{hashlib.sha256(data).hexdigest()}",
            f"password_hash: $2b$12${letters(chance, 53, string.ascii_letters + './')}",
            f"The SHA-256 of the key file is {hashlib.sha256(data).hexdigest()}.",
            f"--hash=sha256:{hashlib.sha256(data).hexdigest()}",
            f"SHA256:{finger} bob@laptop (ED25519)",
        )
    )


def _identifier(chance: random.Random) -> str:
    uuid = "-".join(hexadecimal(chance, n) for n in (8, 4, 4, 4, 12))
    return chance.choice(
        (
            f"Order {uuid} was shipped.",
            f'{{"id": "{uuid}", "type": "item"}}',
            f"request_id={uuid} status=200",
            f"session {uuid} closed",
            f"Idempotency-Key: {uuid}",
            f"idempotency_key = '{uuid}'",
            f"partition key: {uuid}",
            f'primaryKey: "{uuid}"',
            f"token_id: {chance.randrange(10**9)}",
            f"key_id: {uuid}",
            f"aws_account_id = {chance.randrange(10**11, 10**12)}",
            f"trace_id={hexadecimal(chance, 32)} span_id={hexadecimal(chance, 16)}",
            f"resp_{hexadecimal(chance, 48)}",
            f"call_{letters(chance, 24)}",
            f"chatcmpl-{letters(chance, 29)}",
            f'ObjectId("{hexadecimal(chance, 24)}")',
            f'nextPageToken: "{letters(chance, 32)}"',
            f"page_token={letters(chance, 40)}",
            f'"continuationToken": "{letters(chance, 44)}"',
            f"s3_key: uploads/{uuid}/photo.jpg",
            f"object key: exports/{hexadecimal(chance, 32)}.parquet",
            f'public_key = "{letters(chance, 43)}="',
            f"publicKey: {letters(chance, 44)}",
            f"pk_{'live'}_{letters(chance, 24)} is the publishable key and may be shown.",
            f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{letters(chance, 43)} bob@laptop",
            f"0x{hexadecimal(chance, 40)}",
            f"bc1q{letters(chance, 38, string.ascii_lowercase + string.digits)}",
            f"https://www.youtube.example/watch?v={letters(chance, 11)}",
            f"https://docs.example.com/document/d/1{letters(chance, 43)}/edit",
        )
    )


def _encoded(chance: random.Random) -> str:
    data = base64.b64encode(chance.randbytes(chance.randrange(60, 900))).decode()
    return chance.choice(
        (
            f"data:image/png;base64,iVBORw0KGgo{data}",
            f'<img src="data:image/jpeg;base64,/9j/4AAQSkZJRg{data}">',
            f"-----BEGIN CERTIFICATE-----\nMII{data}\n-----END CERTIFICATE-----",
            f"-----BEGIN PUBLIC KEY-----\nMFkw{data}\n-----END PUBLIC KEY-----",
            f'"embedding": "{data}"',
            f"@font-face{{src:url(data:font/woff2;base64,d09GMg{data})}}",
            f"content: {data}",
            base64.b64encode(
                json.dumps({"page": chance.randrange(99), "sort": "asc"}).encode()
            ).decode(),
            f"//# sourceMappingURL=data:application/json;base64,{data}",
            f"The attachment starts with {data[:76]}",
        )
    )


def _code(chance: random.Random) -> str:
    a, b, c = (letters(chance, 1, string.ascii_lowercase) for _ in range(3))
    n = chance.randrange(2, 4000)
    return chance.choice(
        (
            f"!function({a},{b}){{var {c}={a}[{n}],key={b}.key;return {c}?{c}.token:key}}({n});",
            f"{a}.password={b}.password,{a}.token=null,{c}({n})",
            f"for(let {a}=0,key;{a}<{n};{a}++){{key={b}[{a}];if(key==={c})break}}",
            f".{chance.choice(_CSS.split())}{{width:{n}px}}",
            f'<div class="{chance.choice(_CSS.split())}" data-key="{n}"></div>',
            f"SELECT token, secret FROM users WHERE key = {n} AND password IS NOT NULL;",
            f"assert len(token) == {n}, 'token has the wrong length'",
            f"token_count = count_tokens(prompt)  # about {n}",
            f"KEY_LENGTH = {n}\nTOKEN_TTL = {n} * 60",
            f"re_compile_pattern_{n} = re.compile(r'[a-z]{{{n}}}')",
            f"const PASSWORD_MIN_LENGTH = {n};",
            f'map.put("key{n}", "value{n}");',
            f"key{n}=value{n}&token_limit={n}",
            f"git log --author=bob -n {n} --pretty=oneline",
            f"import {{ useToken, KeyProvider }} from '@auth/core-{n}';",
            f"raise ValueError('invalid token at position {n}')",
            f"pressed_keys = {{K_LEFT: {n}, K_RIGHT: {n + 1}}}",
            f"new PasswordField({{name: 'password', maxLength: {n}}})",
            f"kubectl create secret generic db-secret-{n} --from-literal=user=bob",
            f"translations['password.reset.title'] = 'Reset password ({n})'",
            f"sort(key=itemgetter({n}))",
            f"tokens: {n}, prompt_tokens: {n}, completion_tokens: {n}",
            f'{{"parameters": {{"password": {{"type": "string", "maxLength": {n}}}}}}}',
        )
    )


def _product(chance: random.Random) -> str:
    upper = string.ascii_uppercase + string.digits
    code = "-".join(letters(chance, 5, upper) for _ in range(4))
    return chance.choice(
        (
            f"The article number is {letters(chance, 12, upper)}.",
            f"Voucher {code} is valid until Friday.",
            f"serial {letters(chance, 18, upper)}",
            f"Booking reference {letters(chance, 6, upper)}, seat {chance.randrange(1, 40)}C",
            f"VIN {letters(chance, 17, upper)}",
            f"Part {letters(chance, 3, upper)}-{letters(chance, 8, upper)}-0{letters(chance, 1)}",
            f"Parcel 1Z{letters(chance, 16, upper)} is on its way.",
            f"Spare key, model KX-{chance.randrange(100, 999)}B, lock {letters(chance, 8, upper)}",
            f"Key ring {code}, blue",
            f"SKU: {letters(chance, 10)}",
            f"ISBN 978-{chance.randrange(10**9, 10**10)}",
            f"IBAN DE{chance.randrange(10**19, 10**20)}",
            f"Peptide {letters(chance, 30, 'ACDEFGHIKLMNPQRSTVWY')}",
            f"primer {letters(chance, 32, 'ACGT')}",
        )
    )


def _address(chance: random.Random) -> str:
    n = chance.randrange(1000, 9999)
    return chance.choice(
        (
            f"https://example.com:{n}/@bob/posts/{n}",
            f"git@git.example.com:team/project-{n}.git",
            f"ssh://git@git.example.com:{n}/team/project.git",
            f"https://example.com/reset-password?lang=de&step={n}",
            f"See https://example.com/docs/tokens#token-{n}",
            f"http://localhost:{n}/token",
            f"redis://cache:{n}/0",
            f"mailto:bob@example.com?subject=Key%20{n}",
            f"https://bob@example.com/calendar/{n}",
            f"https://maps.example.com/@48.13{n},11.57{n},15z",
            f"https://cdn.example.com/npm/pkg@{n}.1/token.min.js?v={hexadecimal(chance, 20)}",
        )
    )


def _table(chance: random.Random) -> str:
    return chance.choice(
        (
            "| key | value |\n|---|---|\n| password | the user's password |",
            "| token | string | yes | The token from step 2. |",
            "password  VARCHAR(255) NOT NULL,",
            "api_key   CHAR(64) UNIQUE,",
            "* password: the password (8-64 characters)\n* token: the token, see OAuth2",
            "ok  passwords-match-3 (0.02s)",
            "PASS tests/token_test.go:42",
            "FAIL: test_password_reset_2 (tests.AuthTests)",
            "Password:\nLogin incorrect",
            "Enter password: \nAccess denied (attempt 2 of 3)",
            "key      token     count\nalpha    beta12    77",
        )
    )
