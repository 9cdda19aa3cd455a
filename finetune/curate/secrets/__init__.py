"""Keys, tokens and passwords in training rows: where they are, and rows without them.

Not here: the process's own keys, which `swarm.secrets` keeps out of logs and errors.
"""

from finetune.curate.secrets.find import find_secrets, redact_secrets
from finetune.curate.secrets.rule import Secret
from finetune.curate.secrets.scan import SecretFinding, scan_for_secrets
from finetune.curate.secrets.step import SecretsConfig

__all__ = [
    "Secret",
    "SecretFinding",
    "SecretsConfig",
    "find_secrets",
    "redact_secrets",
    "scan_for_secrets",
]
