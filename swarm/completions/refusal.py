"""What an answer other than 200 means: a status and a text in, one of our errors out.

Shared by the clients of this package, so that the same status is the same error everywhere and
no key leaves through a message.
"""

import re
import time
from email.utils import parsedate_to_datetime

from swarm.errors import (
    ProviderBusyError,
    ProviderDownError,
    ProviderError,
    ProviderRefusedError,
)

__all__ = ["hide_key", "read_retry_after", "refusal"]

_PASSWORD = re.compile(r"//[^/@\s]+@")
_LONGEST = 300
"""Characters of a provider's own text."""


def refusal(
    status: int,
    text: str,
    *,
    provider: str,
    key: str | None = None,
    key_variable: str | None = None,
    retry_after: str | None = None,
) -> ProviderError:
    """Return the error of an HTTP status.

    Args:
        status: The status.
        text: What the provider says about it.
        provider: The model's reference.
        key: The key that was sent; taken out of the text.
        key_variable: The environment variable that keys for it come from.
        retry_after: The header of that name.
    """
    said = hide_key(text, key)
    message = f"HTTP {status}: {said}" if said else f"HTTP {status}"
    wait = read_retry_after(retry_after)
    if status in (429, 529):
        return ProviderBusyError(message, provider=provider, status=status, retry_after=wait)
    if status in (408, 409, 425) or (status >= 500 and status not in (501, 505)):
        return ProviderDownError(message, provider=provider, status=status, retry_after=wait)
    hint = None
    if status in (401, 403):
        if key_variable is not None and key is None:
            hint = "no key was sent; name its variable in `api_key_env`"
        elif key_variable is not None:
            hint = f"check the key in {key_variable} and what it may do"
    error = ProviderRefusedError(
        f"{message}; {hint}" if hint else message, provider=provider, status=status
    )
    error.hint = hint
    return error


def hide_key(text: str, key: str | None) -> str:
    """Return a provider's text on one line, cut, and without the key: some repeat it.

    A password in a URL goes too.
    """
    text = _PASSWORD.sub("//***@", " ".join(text.split()))
    # Cutting first could leave a part of the key that no longer looks like it.
    return (text.replace(key, "***") if key else text)[:_LONGEST]


def read_retry_after(value: str | None) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, or None where it says nothing."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, moment - time.time())
