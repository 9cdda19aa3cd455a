"""Whether the files of a version are still those that were registered."""

import stat

from wiki.registry.errors import CorruptedVersionError
from wiki.registry.files import hash_file
from wiki.registry.layout import store_errors
from wiki.registry.manifest import MANIFEST_NAME, ModelVersion, manifest_hash

__all__ = ["check_files"]


def check_files(version: ModelVersion) -> None:
    """Read every file of a version and compare it with the manifest.

    Raises:
        CorruptedVersionError: A file differs, is missing, is a link, or does not belong.
        StoreError: The folder cannot be read.
    """
    manifest = version.manifest
    if manifest.sha256 != manifest_hash(manifest.model_dump(mode="json")):
        raise CorruptedVersionError(version.path / MANIFEST_NAME, "was changed")
    expected = {file.name: file for file in manifest.files}
    with store_errors(version.path):
        for path in sorted(version.path.iterdir()):
            if not stat.S_ISREG(path.lstat().st_mode):
                raise CorruptedVersionError(path, "is a link or no regular file")
            if path.name == MANIFEST_NAME:
                continue
            file = expected.pop(path.name, None)
            if file is None:
                raise CorruptedVersionError(path, "does not belong to the version")
            if path.stat().st_size != file.size:
                raise CorruptedVersionError(path, f"has not the {file.size} bytes it had")
            if hash_file(path).sha256 != file.sha256:
                raise CorruptedVersionError(path, "has other content than was registered")
    for missing in expected:
        raise CorruptedVersionError(version.path / missing, "is missing")
