"""A server that speaks as much of S3's HTTP as an archive needs."""

import hashlib
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from tests.finetune.archive.server import ObjectServer, Reply, Request, byte_range

__all__ = ["S3Server"]


class S3Server(ObjectServer):
    """Objects, uploads in parts, and lists."""

    def __init__(self) -> None:
        super().__init__()
        self._uploads: dict[str, dict[int, bytes]] = {}

    def reply(self, request: Request) -> Reply:
        """Answer a request; unsigned ones are refused, as Amazon does."""
        if "AWS4-HMAC-SHA256" not in request.headers.get("authorization", ""):
            return _error(403, "AccessDenied")
        name = unquote(request.path).strip("/")
        query = request.query
        if "/" not in name:
            return self._list(name, query.get("prefix", ""))
        if request.method == "POST" and "uploads" in query:
            identity = f"upload-{len(self._uploads)}"
            self._uploads[identity] = {}
            return _xml(f"<InitiateMultipartUploadResult><UploadId>{identity}</UploadId>"
                        "</InitiateMultipartUploadResult>")  # fmt: skip
        if request.method == "PUT":
            data = _payload(request)
            if "uploadId" in query:
                self._uploads[query["uploadId"]][int(query["partNumber"])] = data
            else:
                self.keep(name, data)
            return Reply(200, b"", {"ETag": _tag(data)})
        if request.method == "POST":
            parts = self._uploads.pop(query["uploadId"])
            asked = [
                int(element.text or 0)
                for element in ElementTree.fromstring(request.body).iter()
                if element.tag.endswith("PartNumber")
            ]
            data = b"".join(parts[number] for number in asked)
            self.keep(name, data)
            return _xml(f"<CompleteMultipartUploadResult><Key>{escape(name)}</Key><ETag>"
                        f"{_tag(data)}</ETag></CompleteMultipartUploadResult>")  # fmt: skip
        if request.method == "DELETE":
            self.objects.pop(name, None)
            return Reply(204)
        if name not in self.objects:
            return _error(404, "NoSuchKey")
        data = self.objects[name]
        about = {"ETag": _tag(data), "Last-Modified": "Wed, 25 Nov 2026 00:00:00 GMT"}
        if request.method == "HEAD":
            return Reply(200, b"", {**about, "Content-Length": str(len(data))})
        found = byte_range(request, data)
        return found._replace(headers={**found.headers, **about})

    def _list(self, bucket: str, prefix: str) -> Reply:
        names = sorted(
            name.partition("/")[2] for name in self.objects if name.startswith(f"{bucket}/")
        )
        items = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{len(self.objects[f'{bucket}/{name}'])}</Size>"
            "<LastModified>2026-11-25T00:00:00Z</LastModified></Contents>"
            for name in names
            if name.startswith(prefix)
        )
        return _xml(f"<ListBucketResult><IsTruncated>false</IsTruncated>{items}</ListBucketResult>")


def _payload(request: Request) -> bytes:
    """Return the object of an upload, whose body may be in signed chunks."""
    if "aws-chunked" not in request.headers.get("content-encoding", ""):
        return request.body
    found, rest = b"", request.body
    while rest:
        head, _, rest = rest.partition(b"\r\n")
        size = int(head.split(b";")[0], 16)
        if not size:
            break
        found, rest = found + rest[:size], rest[size + 2 :]
    return found


def _tag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _xml(text: str) -> Reply:
    return Reply(200, f"<?xml version='1.0'?>{text}".encode(), {"Content-Type": "application/xml"})


def _error(status: int, code: str) -> Reply:
    return _xml(f"<Error><Code>{code}</Code><Message>{code}</Message></Error>")._replace(
        status=status
    )
