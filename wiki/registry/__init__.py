"""The model registry: immutable versions of wikis' models, and which of them is live.

It keeps and verifies files and knows what a version was made from. It neither trains nor serves.
"""

from wiki.registry.aliases import Promotion
from wiki.registry.errors import CorruptedVersionError, NotPromotedError
from wiki.registry.manifest import Manifest, ModelFile, ModelVersion, manifest_hash
from wiki.registry.reference import VersionReference, parse_version_reference
from wiki.registry.registry import ModelRegistry

__all__ = [
    "CorruptedVersionError",
    "Manifest",
    "ModelFile",
    "ModelRegistry",
    "ModelVersion",
    "NotPromotedError",
    "Promotion",
    "VersionReference",
    "manifest_hash",
    "parse_version_reference",
]
