"""What the name of a variable, a key or a field says about its value."""

import re
from functools import lru_cache
from typing import Literal

__all__ = ["FOREIGN", "Called", "called"]

Called = Literal["password", "secret", "token", "key"]
"""`password`: somebody chose it. `secret`: a machine made it, and it is secret. `token` and `key`:
perhaps, so only a value that looks like one counts."""

_FOREIGN = """
пароль паролем пароля 密码 密碼 口令 密钥 パスワード 暗証番号 비밀번호 şifre lösenord κωδικός hasło
पासवर्ड סיסמה รหัสผ่าน
"""
FOREIGN = (*_FOREIGN.split(), "كلمة المرور", "كلمة السر", "mật khẩu")
"""What a password is called where not all of the word's letters are ASCII, in lower case."""

_ASCII = """
pass password passwd passphrase passcode passwort kennwort passe pwd pw psw pswd clave contraseña
contrasena senha parola wachtwoord heslo haslo salasana motdepasse
"""
_PASSWORD = frozenset((*_ASCII.split(), *FOREIGN))
_ENDS = ("password", "passwd", "passphrase", "passcode", "passwort", "kennwort", "_pwd")
_CREDENTIAL = frozenset({"cred", "creds", "credential", "credentials"})

# In front of `key` or `token` these say that it is secret.
_OWNERS = """
access account admin agent aes api app application auth authentication bearer bot client
consumer cosmos decryption deploy deployment device encrypt encryption function hmac host id
instrumentation integration jwt live license login machine management master oauth personal
private push read refresh registration robot root runner sas secret security server service
session shared sign signing storage subscription upload user vault verify webhook write
algolia anthropic aws azure cloudflare cohere datadog deepgram deepseek digitalocean discord
docker elevenlabs firebase gemini gh github gitlab google groq heroku hf huggingface mailgun
maps mistral netlify newrelic npm nvidia okta openai openrouter pagerduty perplexity pinecone
postmark pypi replicate sendgrid sentry shopify slack snyk stripe supabase telegram together
twilio vercel weaviate
"""
_SECRET_OF = frozenset(_OWNERS.split())
_HARMLESS_OWNERS = """
public publishable primary foreign partition sort cache idempotency row hash page next prev
continuation sync cursor pad eos bos unk csrf xsrf cancellation cancel max min num total stop
mask special mint image input output prompt completion dedupe dedup group lookup translation
object s3 registry index ordering routing
"""
_HARMLESS = frozenset(_HARMLESS_OWNERS.split())
_LAST = """
value prod production staging stage dev test env live old new current default main backup str
string plain plaintext text b64 base64 hex
"""
_TAILS = frozenset(_LAST.split())
_SPLIT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|[0-9]+")


@lru_cache(maxsize=4096)
def called(name: str) -> Called | None:
    """Return what kind of secret a name promises; None for names such as `password_hash`.

    Args:
        name: An identifier in any style, or the words of a sentence up to the last that counts.
    """
    parts = [part.lower() for part in _SPLIT.findall(name)]
    while parts and (parts[-1].isdigit() or parts[-1] in _TAILS):
        parts.pop()
    if not parts:
        return None
    last, before = parts[-1], parts[-2] if len(parts) > 1 else ""
    if last in _PASSWORD or last.endswith(_ENDS) or before + last in _PASSWORD:
        return "password"
    if last in _CREDENTIAL:
        return "secret"
    if last.endswith("secret"):
        return "secret"
    if last.endswith(("apikey", "authkey", "secretkey", "accesskey", "privatekey", "signingkey")):
        return "secret"
    if last.endswith(("authtoken", "accesstoken", "apitoken", "bottoken", "refreshtoken")):
        return "secret"
    if before in _HARMLESS:
        return None
    if last == "token":
        return "secret" if before in _SECRET_OF else "token"
    if last == "key":
        return "secret" if before in _SECRET_OF else "key"
    if last.endswith("token"):
        return "token"
    return None
