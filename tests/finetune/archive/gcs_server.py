"""A server that speaks as much of Google Cloud Storage's JSON API as an archive needs."""

import base64
import hashlib
import json
import re
from urllib.parse import unquote

from tests.finetune.archive.server import ObjectServer, Reply, Request, byte_range

__all__ = ["GcsServer"]


class GcsServer(ObjectServer):
    """Objects, simple and resumable uploads, and lists."""

    def __init__(self) -> None:
        super().__init__()
        self._sessions: dict[str, tuple[str, bytes]] = {}

    def reply(self, request: Request) -> Reply:
        """Answer a request."""
        if found := re.fullmatch(r"/upload/storage/v1/b/([^/]+)/o", request.path):
            return self._upload(request, found[1])
        if found := re.fullmatch(r"/(?:download/)?storage/v1/b/([^/]+)/o/?", request.path):
            return self._list(found[1], request.query.get("prefix", ""))
        if found := re.fullmatch(r"/(?:download/)?storage/v1/b/([^/]+)/o/(.+)", request.path):
            return self._object(request, f"{found[1]}/{unquote(found[2])}")
        return _error(404)

    def _upload(self, request: Request, bucket: str) -> Reply:
        kind = request.query.get("uploadType")
        if kind == "multipart":
            boundary = re.search(r'boundary="?([^";]+)"?', request.headers["content-type"])
            assert boundary is not None
            mark = f"--{boundary[1]}".encode()
            _, about, rest = request.body.split(mark, 2)
            described = json.loads(about.partition(b"\n\n")[2] or about.partition(b"\r\n\r\n")[2])
            end = rest.rindex(mark)
            data = re.split(rb"\r?\n\r?\n", rest[:end], maxsplit=1)[1]
            data = data[:-1] if data.endswith(b"\n") else data
            name = f"{bucket}/{described['name']}"
            self.keep(name, data)
            return self._described(name)
        if kind == "resumable" and "upload_id" not in request.query:
            identity = f"session-{len(self._sessions)}"
            name = request.query.get("name") or json.loads(request.body or b"{}")["name"]
            self._sessions[identity] = (f"{bucket}/{name}", b"")
            place = f"{self.url}{request.path}?uploadType=resumable&upload_id={identity}"
            return Reply(200, b"", {"Location": place})
        if "upload_id" in request.query:
            identity = request.query["upload_id"]
            name, known = self._sessions[identity]
            data = known + request.body
            total = request.headers.get("content-range", "").rpartition("/")[2]
            if total == "*" or (total.isdigit() and len(data) < int(total)):
                self._sessions[identity] = (name, data)
                return Reply(308, b"", {"Range": f"bytes=0-{len(data) - 1}"})
            self.keep(name, data)
            return self._described(name)
        return _error(400)

    def _object(self, request: Request, name: str) -> Reply:
        if request.method == "DELETE":
            return Reply(204) if self.objects.pop(name, None) is not None else _error(404)
        if name not in self.objects:
            return _error(404)
        if request.query.get("alt") == "media" or request.path.startswith("/download"):
            return byte_range(request, self.objects[name])
        return self._described(name)

    def _described(self, name: str) -> Reply:
        return _json(self._about(name))

    def _about(self, name: str) -> dict[str, str]:
        bucket, _, key = name.partition("/")
        data = self.objects[name]
        digest = hashlib.md5(data, usedforsecurity=False).digest()
        return {
            "kind": "storage#object",
            "bucket": bucket,
            "name": key,
            "size": str(len(data)),
            "md5Hash": base64.b64encode(digest).decode(),
            "generation": "1",
            "updated": "2026-11-25T00:00:00.000Z",
            "timeCreated": "2026-11-25T00:00:00.000Z",
        }

    def _list(self, bucket: str, prefix: str) -> Reply:
        names = [n for n in sorted(self.objects) if n.startswith(f"{bucket}/{prefix}")]
        return _json({"kind": "storage#objects", "items": [self._about(name) for name in names]})


def _json(value: object) -> Reply:
    return Reply(200, json.dumps(value).encode(), {"Content-Type": "application/json"})


def _error(status: int) -> Reply:
    text = {"error": {"code": status, "message": "not found" if status == 404 else "refused"}}
    return _json(text)._replace(status=status)
