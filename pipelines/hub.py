"""A published dataset to the hub: hf://datasets/OWNER/NAME, in commits of which the last brings the manifest.

What differs is sent: the hub states SHA-256 and size of every large file, and git's digest of small ones. So
a rerun after a cut connection goes on, and a new version sends the shards that changed. After the last commit
the hub's listing is compared with the folder once more.

Owns: the repository's `data/*.parquet` and the files that publish writes beside them; others are left alone.
Reads: a published folder. Raises the errors of `faults.translate`.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from corpus import faults, storage
from corpus.errors import RunError, ShardError, TransientError, UsageError
from pipelines import tombstones
from pipelines.manifest import MANIFEST, Manifest, read_manifest
from pipelines.takedown import take_down

T = TypeVar("T")

#: A dataset's repository on the hub.
ADDRESS: Final = re.compile(r"hf://datasets/([\w.-]+/[\w.-]+)/?")
#: Files of one commit: the hub advises hundreds at most.
_COMMIT_FILES: Final = 100
#: Bytes of one commit where the folder lies on an object store and files pass through the local disk.
_COMMIT_BYTES: Final = 20_000_000_000
#: Files that a repository has without anybody's data in it.
_OF_THE_HUB: Final = (".gitattributes", ".gitignore", "README.md", "LICENSE")

#: Progress callback: a line for a person.
Say = Callable[[str], None]


@dataclass(frozen=True)
class Local:
    """A file of the folder: what the hub will say of it. Small files have no SHA-256 there but git's
    digest."""

    path: str
    size: int
    sha256: str
    git: str = ""


@dataclass(frozen=True)
class Sent:
    """What a repository got."""

    target: str
    files: int
    bytes: int
    deleted: int
    unchanged: int
    commit: str


def is_hub(location: str) -> bool:
    """Whether a location is on the hub."""
    return location.startswith(f"{storage.HUB}://")


def repository(target: str) -> str:
    """OWNER/NAME of hf://datasets/OWNER/NAME. Raises UsageError for another form."""
    match = ADDRESS.fullmatch(target)
    if not match:
        raise UsageError(f"{target}: write the repository as hf://datasets/OWNER/NAME")
    return match[1]


def check(target: str) -> None:
    """Raise UsageError for what can be known to be wrong before any work: form, package, token."""
    repository(target)
    try:
        from huggingface_hub import get_token
    except ImportError as error:
        raise UsageError(f"{target}: hf:// needs huggingface_hub: pip install 'bukvar[hub]'") from error
    if not get_token():
        raise UsageError(f"{target}: no token for the hub; log in with `hf auth login`, or set HF_TOKEN")


def send(folder: str, target: str, say: Say, *, private: bool = True, redo: bool = False) -> Sent:
    """Send a published folder to the hub; the repository is made where there is none.

    `redo`: replace a repository's data that bukvar did not publish. Raises UsageError where there is such
    data and `redo` is not set, ShardError for a file that is not as the manifest says, RunError where the hub
    refuses or holds something else afterwards.
    """
    check(target)
    repo = _Repository(target, repository(target), say)
    repo.patiently(lambda: repo.create(private))
    repo.patiently(lambda: _obey(repo, folder))
    manifest = read_manifest(folder)
    files = _files_of(folder, manifest)
    sent: set[str] = set()
    deleted = repo.patiently(lambda: _send(repo, folder, files, sent, redo=redo))
    head, found = repo.patiently(repo.listing)
    wrong = sorted(path for path, file in files.items() if not _is_same(found.get(path), file))
    if wrong:
        raise RunError(f"{target}: {wrong[0]} is not there as it was sent; run the same command again")
    size = sum(files[path].size for path in sent)
    return Sent(target, len(sent), size, deleted, len(files) - len(sent), head)


class _Repository:
    """One repository and how it is spoken to."""

    def __init__(self, target: str, name: str, say: Say) -> None:
        from huggingface_hub import HfApi

        self.target, self.name, self.say = target, name, say
        self.api = HfApi()

    def create(self, private: bool) -> None:
        self.api.create_repo(self.name, repo_type="dataset", private=private, exist_ok=True)

    def listing(self) -> tuple[str, dict[str, Any]]:
        """The last commit, and its files by path."""
        head = self.api.repo_info(self.name, repo_type="dataset").sha
        tree = self.api.list_repo_tree(self.name, recursive=True, revision=head, repo_type="dataset")
        return head, {entry.path: entry for entry in tree if hasattr(entry, "blob_id")}

    def read(self, path: str, head: str) -> bytes:
        """A small file of a commit, from the hub itself."""
        with tempfile.TemporaryDirectory() as cache:
            found = self.api.hf_hub_download(
                self.name, path, repo_type="dataset", revision=head, local_dir=cache
            )
            return Path(found).read_bytes()

    def commit(self, add: dict[str, Path], delete: Collection[str], parent: str, message: str) -> str:
        """One commit on top of `parent`; its id."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        operations: list[Any] = [CommitOperationDelete(path) for path in sorted(delete)]
        operations += [CommitOperationAdd(path, str(file)) for path, file in add.items()]
        done = self.api.create_commit(
            self.name, operations, commit_message=message, repo_type="dataset", parent_commit=parent
        )
        return str(done.oid)

    def patiently(self, operation: Callable[[], T]) -> T:
        """Do what may be done twice again, with growing pauses, while the hub does not answer."""
        end = time.monotonic() + faults.PATIENCE
        wait = 1.0
        while True:
            try:
                with storage.translated(self.target):
                    return operation()
            except TransientError as error:
                if time.monotonic() + wait > end:
                    raise
                self.say(f"{error}; trying again in {wait:.0f} s")
            time.sleep(wait)
            wait = min(2 * wait, 30.0)


def _files_of(folder: str, manifest: Manifest) -> dict[str, Local]:
    """The files of a published folder by path, the manifest last."""
    entries = [*manifest.files, *([manifest.sample] if manifest.sample else [])]
    found = {entry.path: Local(entry.path, entry.bytes, entry.sha256) for entry in entries}
    here = storage.list_files(folder)
    beside = [storage.base_name(file) for file in here if not storage.base_name(file).startswith(("_", "."))]
    for name in sorted(beside, key=lambda one: (one == MANIFEST, one)):
        data = storage.read_bytes(storage.join(folder, name))
        git = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        found[name] = Local(name, len(data), hashlib.sha256(data).hexdigest(), git)
    return found


def _is_same(remote: Any, local: Local) -> bool:
    if remote is None or remote.size != local.size:
        return False
    return bool(remote.lfs.sha256 == local.sha256 if remote.lfs else remote.blob_id == local.git)


def _obey(repo: _Repository, folder: str) -> None:
    """Apply tombstones that the repository has and the folder lacks: what was taken down stays so."""
    head, found = repo.listing()
    if tombstones.FILE not in found:
        return
    have = set(tombstones.read_tombstones(folder).stones)
    stones = tombstones.parse(repo.read(tombstones.FILE, head), f"{repo.target}/{tombstones.FILE}")
    missing = [stone for stone in stones if stone not in have]
    if missing:
        change = take_down(folder, missing, missing[0].reason)
        repo.say(f"{len(missing)} takedowns of {repo.target} were applied: {change.rows:,} documents went")


def _send(repo: _Repository, folder: str, files: dict[str, Local], sent: set[str], *, redo: bool) -> int:
    """Send what differs and delete shards that are no more; how many were deleted. Adds to `sent`."""
    head, found = repo.listing()
    if not redo:
        _check_ours(repo, files, found)
    wanted = [file for path, file in files.items() if not _is_same(found.get(path), file)]
    stale = [path for path in found if _is_shard(path) and path not in files]
    batches = list(_batches(wanted))
    if len(batches) > 1 and MANIFEST in found:  # no manifest beside files that it does not state
        stale.append(MANIFEST)
    deleted = len([path for path in stale if path != MANIFEST])
    for number, batch in enumerate(batches, 1):
        with _on_disk(folder, batch) as paths:
            message = f"bukvar: {len(batch)} files ({number} of {len(batches)})"
            head = repo.commit(paths, stale, head, message)
        stale = []
        sent.update(file.path for file in batch)
        repo.say(f"{repo.target}: {number} of {len(batches)} commits, {len(sent)} files sent")
    if stale and not batches:
        repo.commit({}, stale, head, f"bukvar: {len(stale)} files fewer")
    return deleted


def _check_ours(repo: _Repository, files: dict[str, Local], found: dict[str, Any]) -> None:
    """Raise UsageError where the repository holds data of somebody else. Shards of an upload that was cut are
    ours: they are those of the folder."""
    if MANIFEST in found:
        return
    others = [
        path for path, file in found.items()
        if path not in _OF_THE_HUB and not (path in files and _is_same(file, files[path]))
    ]  # fmt: skip
    if others:
        raise UsageError(
            f"{repo.target}: holds {others[0]}, which bukvar did not publish; choose another name, or "
            "replace its data with --redo"
        )


def _is_shard(path: str) -> bool:
    return path.startswith(("data/", "sample/")) and path.endswith(".parquet")


def _batches(files: Sequence[Local]) -> Iterator[list[Local]]:
    """Files in commits; the manifest comes last, in whatever commit that is."""
    batch: list[Local] = []
    size = 0
    for file in files:
        if batch and (len(batch) == _COMMIT_FILES or size + file.size > _COMMIT_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch


@contextmanager
def _on_disk(folder: str, batch: Sequence[Local]) -> Iterator[dict[str, Path]]:
    """Local paths of files: where they lie, or copies. Raises ShardError for one that has changed."""
    with tempfile.TemporaryDirectory(prefix="bukvar-") as scratch:
        paths = {}
        for number, file in enumerate(batch):
            location = storage.join(folder, file.path)
            path = storage.local_path(location)
            if path is None:
                path = Path(scratch) / str(number)
                storage.copy(location, path)
            if not path.exists() or storage.sha256(str(path)) != (file.sha256, file.size):
                raise ShardError(f"{location}: not as the manifest says; publish again")
            paths[file.path] = path
        yield paths
