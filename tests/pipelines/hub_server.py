"""A stand-in of the hub on loopback: the requests that huggingface_hub makes to create, list, read and
commit.

Written from the client's own requests (its `hf_api.py`, `lfs.py` and `_commit_api.py`). It checks what the
real one checks: token, SHA-256 of what is put, that a commit's large files were put, and the parent commit.
"""

import base64
import contextlib
import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

TOKEN = "hf_right"  # noqa: S105 - of a server that lives for a test


@dataclass
class Repo:
    """Files of the last commit: path -> content, and whether it is a large file."""

    files: dict[str, tuple[bytes, bool]] = field(default_factory=dict)
    commits: list[tuple[str, list[str]]] = field(default_factory=list)
    private: bool = True

    @property
    def head(self) -> str:
        return hashlib.sha1(repr([len(self.commits), sorted(self.files)]).encode()).hexdigest()  # noqa: S324 - as git has it

    def data(self) -> dict[str, bytes]:
        return {path: data for path, (data, _) in self.files.items()}


class Hub:
    """The state, which outlives servers, and the faults to come."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.objects: dict[str, bytes] = {}
        self.requests: Counter[str] = Counter()
        #: Bytes of large files that were put.
        self.put = 0
        #: Every n-th request is answered 503; so many puts are cut in the middle; every answer waits.
        self.refuse_every = 0
        self.cut_puts = 0
        self.slow = 0.0
        #: Puts after which the server goes silent for good (it is stopped by the test).
        self.after_put: Any = None
        self.lock = threading.RLock()

    def refuses(self) -> bool:
        with self.lock:
            return bool(self.refuse_every) and self.requests.total() % self.refuse_every == 0


def git_blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()  # noqa: S324 - git's


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        path = unquote(self.path.partition("?")[0])
        time.sleep(self.hub.slow)
        with self.hub.lock:
            self.hub.requests[f"{self.command} {path.split('/')[1]}"] += 1
            cut = self.command == "PUT" and self.hub.cut_puts > 0
            self.hub.cut_puts -= cut
        if cut:
            self.rfile.read(length // 2)
            self.connection.close()
            self.close_connection = True
            return
        body = self.rfile.read(length)
        if self.hub.refuses():
            self._json(503, {"error": "Service Unavailable"})
        elif self.command != "PUT" and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._json(401, {"error": "Invalid credentials in Authorization header"})
        else:
            self._route(path, body)

    def _route(self, path: str, body: bytes) -> None:
        parts = path.strip("/").split("/")
        match (self.command, *parts):
            case ("POST", "api", "repos", "create"):
                self._create(json.loads(body))
            case ("POST", "api", "validate-yaml"):
                self._json(200, {"errors": [], "warnings": []})
            case ("PUT", "lfs", oid):
                self._put(oid, body)
            case ("POST", "datasets", _, name, "info", "lfs", "objects", "batch") if name.endswith(".git"):
                self._batch(json.loads(body))
            case (method, "datasets", owner, name, "resolve", _, *rest) if method in ("GET", "HEAD"):
                self._resolve(self.hub.repos.get(f"{owner}/{name}"), "/".join(rest))
            case (_, "api", "datasets", owner, name, *rest):
                repo = self.hub.repos.get(f"{owner}/{name}")
                if repo is None:
                    self._json(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
                else:
                    self._dataset(repo, f"{owner}/{name}", rest, body)
            case _:
                self._json(404, {"error": f"no such address: {self.command} {path}"})

    def _create(self, wanted: dict[str, Any]) -> None:
        name = f"{wanted['organization']}/{wanted['name']}"
        address = {"url": f"http://{self.headers['Host']}/datasets/{name}", "name": name, "id": name}
        if name in self.hub.repos:
            self._json(409, address | {"error": "You already created this dataset repo"})
            return
        private = wanted.get("visibility") == "private" or bool(wanted.get("private"))
        self.hub.repos[name] = Repo({".gitattributes": (b"*.parquet filter=lfs\n", False)}, private=private)
        self._json(200, address)

    def _dataset(self, repo: Repo, name: str, rest: list[str], body: bytes) -> None:
        match (self.command, *rest):
            case ("GET",) | ("GET", "revision", _):
                files = [{"rfilename": path} for path in sorted(repo.files)]
                self._json(200, {"id": name, "sha": repo.head, "siblings": files, "private": repo.private})
            case ("GET", "tree", _, *below):
                self._tree(repo, "/".join(below))
            case ("POST", "paths-info", _):
                wanted = json.loads(body)["paths"]
                self._json(200, [_entry(p, *repo.files[p]) for p in wanted if p in repo.files])
            case ("POST", "preupload", _):
                self._preupload(repo, json.loads(body)["files"])
            case ("POST", "commit", _):
                self._commit(repo, [json.loads(line) for line in body.splitlines()])
            case _:
                self._json(404, {"error": f"no such address of a dataset: {self.command} {rest}"})

    def _tree(self, repo: Repo, below: str) -> None:
        prefix = f"{below}/" if below else ""
        found = [_entry(p, *f) for p, f in sorted(repo.files.items()) if p.startswith(prefix)]
        if "recursive=true" not in self.path.lower():
            deep = {p[len(prefix) :].partition("/")[0] for p in repo.files if p.startswith(prefix)}
            found = [e for e in found if "/" not in e["path"][len(prefix) :]] + [
                {"type": "directory", "path": prefix + d, "oid": "0" * 40, "size": 0}
                for d in sorted(deep) if prefix + d not in repo.files
            ]  # fmt: skip
        self._json(200, found) if found else self._json(404, {}, {"X-Error-Code": "EntryNotFound"})

    def _preupload(self, repo: Repo, files: list[dict[str, Any]]) -> None:
        answers = []
        for file in files:
            mode = "lfs" if file["path"].endswith(".parquet") else "regular"
            old = repo.files.get(file["path"])
            oid = git_blob(old[0]) if old and not old[1] else None
            answers.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        self._json(200, {"files": answers})

    def _batch(self, wanted: dict[str, Any]) -> None:
        objects = []
        for one in wanted["objects"]:
            if one["oid"] not in self.hub.objects:
                href = f"http://{self.headers['Host']}/lfs/{one['oid']}"
                one = one | {"actions": {"upload": {"href": href, "header": {}}}}
            objects.append(one)
        self._json(200, {"transfer": "basic", "objects": objects})

    def _put(self, oid: str, body: bytes) -> None:
        if hashlib.sha256(body).hexdigest() != oid:
            self._json(400, {"error": "digest differs"})
            return
        with self.hub.lock:
            self.hub.objects[oid] = body
            self.hub.put += len(body)
        self._json(200, {})
        if self.hub.after_put:
            self.hub.after_put()

    def _commit(self, repo: Repo, lines: list[dict[str, Any]]) -> None:
        header, paths = lines[0]["value"], []
        if header.get("parentCommit", repo.head) != repo.head:
            self._json(412, {"error": "A commit has happened since. Please refresh and try again."})
            return
        files = dict(repo.files)
        for line in lines[1:]:
            value = line["value"]
            paths.append(value["path"])
            if line["key"] == "file":
                files[value["path"]] = (base64.b64decode(value["content"]), False)
            elif line["key"] == "lfsFile" and value["oid"] in self.hub.objects:
                files[value["path"]] = (self.hub.objects[value["oid"]], True)
            elif line["key"] == "deletedFile":
                del files[value["path"]]
            else:
                self._json(400, {"error": f"can't commit {value['path']}"})
                return
        repo.files = files
        repo.commits.append((header["summary"], paths))
        self._json(
            200,
            {
                "commitUrl": f"http://{self.headers['Host']}/datasets/a/b/commit/{repo.head}",
                "commitOid": repo.head,
            },
        )

    def _resolve(self, repo: Repo | None, path: str) -> None:
        if repo is None or path not in repo.files:
            code = "RepoNotFound" if repo is None else "EntryNotFound"
            self._json(404, {"error": "not found"}, {"X-Error-Code": code})
            return
        data, _ = repo.files[path]
        headers = {"ETag": f'"{git_blob(data)}"', "X-Repo-Commit": repo.head, "Accept-Ranges": "bytes"}
        status, part = 200, data
        if asked := self.headers.get("Range"):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            part = data[int(first) : int(last) + 1 if last else None]
            headers["Content-Range"] = f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}"
            status = 206
        self._answer(status, headers | {"Content-Type": "application/octet-stream"}, part)

    def _json(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self._answer(status, {"Content-Type": "application/json"} | (headers or {}), data)

    def _answer(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None: ...


def _entry(path: str, data: bytes, large: bool) -> dict[str, Any]:
    entry = {"type": "file", "path": path, "size": len(data), "oid": git_blob(data)}
    if large:
        digest = hashlib.sha256(data).hexdigest()
        entry |= {"oid": "1" * 40, "lfs": {"oid": digest, "size": len(data), "pointerSize": 130}}
    return entry


@contextlib.contextmanager
def serving(hub: Hub, port: int = 0) -> Iterator[str]:
    """A server of this state; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
