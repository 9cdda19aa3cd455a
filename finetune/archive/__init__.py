"""Archives: files copied to a folder, S3 or Google Cloud Storage, and read back to be sure."""

from finetune.archive.run import ARCHIVE_MANIFEST, Archived, ArchivedFile, Backend, archive
from finetune.archive.store import ArchiveStore, open_store

__all__ = [
    "ARCHIVE_MANIFEST",
    "ArchiveStore",
    "Archived",
    "ArchivedFile",
    "Backend",
    "archive",
    "open_store",
]
