"""Where settings and keys come from: the environment, with a `.env` file beneath it."""

import os
from pathlib import Path

from swarm.errors import SetupError

__all__ = ["read_environment"]


def read_environment(folder: Path | None = None) -> dict[str, str]:
    """Return the environment, with the variables of a `.env` file beneath.

    A variable that is set but empty does not hide the one in the file.

    Args:
        folder: Where `.env` lies; the working folder when absent.

    Raises:
        SetupError: The file is there but cannot be read.
    """
    path = (folder or Path()) / ".env"
    found: dict[str, str] = {}
    if path.is_file():
        import dotenv  # only a program with such a file pays for it

        try:
            values = dotenv.dotenv_values(path, interpolate=False, encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise SetupError(f"cannot read {path}: {reason}") from None
        found = {name: value for name, value in values.items() if value is not None}
    return found | {k: v for k, v in os.environ.items() if v or k not in found}
