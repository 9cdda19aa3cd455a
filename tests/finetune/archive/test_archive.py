"""Archives: whole or not, in a folder and on servers that speak as S3 and Google's storage do."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from finetune.archive import ARCHIVE_MANIFEST, Archived, archive
from swarm.errors import DataError, MissingKeyError, StoreError
from tests.finetune.archive.gcs_server import GcsServer
from tests.finetune.archive.s3_server import S3Server
from tests.finetune.archive.server import ObjectServer, Reply, Request

pytestmark = pytest.mark.anyio

_KEY = "wJalr" + "-" + "not-a-key" * 3
"""Made of pieces, and no key of anybody's."""


def files_of(folder: Path) -> dict[str, Path]:
    """Return the files below a folder, by their path in it."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in found}


class Place:
    """A place to archive to."""

    def __init__(
        self, backend: Any, bucket: str, environment: Mapping[str, str], server: ObjectServer | None
    ) -> None:
        self.backend, self.bucket = backend, bucket
        self.environment, self.server = environment, server

    async def archive(self, source: Path, prefix: str = "shop/v1") -> Archived:
        """Archive a folder here."""
        return await archive(
            source,
            self.backend,
            bucket=self.bucket,
            prefix=prefix,
            environment=self.environment,
        )

    def objects(self) -> dict[str, bytes]:
        """Return what is kept, by name inside the bucket."""
        if self.server is None:
            found = files_of(Path(self.bucket))
            return {name: path.read_bytes() for name, path in found.items()}
        start = f"{self.bucket}/"
        return {name.removeprefix(start): data for name, data in self.server.objects.items()}


@pytest.fixture(params=["local", "s3", "gcs"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each kind of place, empty."""
    if request.param == "local":
        yield Place("local", str(tmp_path / "kept"), {}, None)
        return
    with S3Server() if request.param == "s3" else GcsServer() as server:
        yield Place(request.param, "bucket", _environment(server), server)


def _environment(server: ObjectServer) -> dict[str, str]:
    if isinstance(server, GcsServer):
        return {"STORAGE_EMULATOR_HOST": server.url}
    return {
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": _KEY,
        "AWS_ENDPOINT_URL": server.url,
    }


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder of files, some of them awkward."""
    folder = tmp_path / "version"
    (folder / "inner folder").mkdir(parents=True)
    (folder / "train.jsonl").write_bytes(b'{"a": 1}\n' * 1000)
    (folder / "empty").write_bytes(b"")
    (folder / "inner folder" / "ünicode + 100%.bin").write_bytes(os.urandom(4096) + b"\n\n")
    return folder


@pytest.mark.requirement("S0-26")
async def test_an_archive_has_every_byte_and_its_list_last(place: Place, source: Path) -> None:
    done = await place.archive(source)
    files = files_of(source)
    kept = place.objects()
    assert set(kept) == {f"shop/v1/{name}" for name in (*files, ARCHIVE_MANIFEST)}
    for name, path in files.items():
        assert kept[f"shop/v1/{name}"] == path.read_bytes(), name
    listed = json.loads(kept[f"shop/v1/{ARCHIVE_MANIFEST}"])
    assert {f["name"]: f["sha256"] for f in listed["files"]} == {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()
    }
    assert (done.uploaded, len(done.files)) == (3, 3)
    assert done.bytes == sum(path.stat().st_size for path in files.values())
    again = await place.archive(source)
    assert (again.uploaded, again.files) == (0, done.files)


@pytest.mark.requirement("S0-26")
@pytest.mark.parametrize("kind", [S3Server, GcsServer])
async def test_an_interrupted_archive_goes_on(kind: type[ObjectServer], source: Path) -> None:
    with kind() as server:
        place = Place("s3" if kind is S3Server else "gcs", "bucket", _environment(server), server)

        def refuse(request: Request) -> Reply | None:
            is_write = request.method in ("PUT", "POST")
            is_last = "train.jsonl" in request.path or b"train.jsonl" in request.body[:2000]
            is_progress = b"progress" in request.body[:2000] or "progress" in request.path
            return Reply(403) if is_write and is_last and not is_progress else None

        server.fault = refuse
        with pytest.raises(StoreError, match=r"train\.jsonl"):
            await place.archive(source)
        assert f"shop/v1/{ARCHIVE_MANIFEST}" not in place.objects()
        server.fault = lambda request: None
        done = await place.archive(source)
        assert done.uploaded == 1
        assert set(place.objects()) == {
            f"shop/v1/{name}" for name in (*(f.name for f in done.files), ARCHIVE_MANIFEST)
        }


@pytest.mark.parametrize("kind", [S3Server, GcsServer])
async def test_what_comes_back_different_is_refused(kind: type[ObjectServer], source: Path) -> None:
    with kind() as server:
        place = Place("s3" if kind is S3Server else "gcs", "bucket", _environment(server), server)
        server.damage = lambda name, data: (
            data[:-1] + bytes([data[-1] ^ 1]) if name.endswith("train.jsonl") else data
        )
        with pytest.raises(StoreError, match=r"train\.jsonl came back different|train\.jsonl: "):
            await place.archive(source)
        assert f"shop/v1/{ARCHIVE_MANIFEST}" not in place.objects()


@pytest.mark.filterwarnings("ignore:Sending a large body directly")  # by gcsfs, on a thread
@pytest.mark.requirement("S0-26")
@pytest.mark.parametrize("kind", [S3Server, GcsServer])
async def test_a_large_file_goes_up_in_parts(kind: type[ObjectServer], tmp_path: Path) -> None:
    folder = tmp_path / "large"
    folder.mkdir()
    content = os.urandom(1 << 20) * 33
    (folder / "train.jsonl").write_bytes(content)
    with kind() as server:
        place = Place("s3" if kind is S3Server else "gcs", "bucket", _environment(server), server)
        await place.archive(folder)
        assert place.objects()["shop/v1/train.jsonl"] == content
        parts = [request for request in server.requests if len(request.body) > 1 << 20]
        assert len(parts) > 1


async def test_another_archive_is_not_written_over(place: Place, source: Path) -> None:
    await place.archive(source)
    (source / "train.jsonl").write_bytes(b"other\n")
    before = place.objects()
    with pytest.raises(DataError, match="another archive"):
        await place.archive(source)
    assert place.objects() == before


async def test_credentials_come_from_the_environment_and_never_show(source: Path) -> None:
    with pytest.raises(MissingKeyError, match="AWS_ACCESS_KEY_ID"):
        await archive(source, "s3", bucket="bucket", environment={})
    with pytest.raises(MissingKeyError, match="GOOGLE_APPLICATION_CREDENTIALS"):
        await archive(source, "gcs", bucket="bucket", environment={})
    with S3Server() as server:
        environment = _environment(server)
        leak = f"<Error><Code>Bad</Code><Message>the key {_KEY} is bad</Message></Error>".encode()
        server.fault = lambda request: Reply(400, leak, {"Content-Type": "application/xml"})
        with pytest.raises(StoreError) as caught:
            await archive(source, "s3", bucket="bucket", environment=environment)
        assert _KEY not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__
        sent = [str(r.headers) + r.path for r in server.requests]
        assert sent
        assert not any(_KEY in text for text in sent)


@pytest.mark.parametrize("prefix", ["../up", "a/../b", "a//b", "."])
async def test_a_prefix_stays_in_its_bucket(source: Path, tmp_path: Path, prefix: str) -> None:
    with pytest.raises(DataError, match="prefix"):
        await archive(source, bucket=str(tmp_path / "kept"), prefix=prefix)


async def test_a_source_must_be_plain_files(tmp_path: Path) -> None:
    kept = str(tmp_path / "kept")
    with pytest.raises(DataError, match="no such file"):
        await archive(tmp_path / "missing", bucket=kept)
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(DataError, match="holds no files"):
        await archive(folder, bucket=kept)
    (folder / "link").symlink_to("/etc/hostname")
    with pytest.raises(DataError, match="not links"):
        await archive(folder, bucket=kept)
