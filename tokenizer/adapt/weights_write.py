"""The shards of a new checkpoint: written aside, renamed when whole, noted in a journal."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tokenizer.adapt.weights_files import CONFIG, Bytes, Checkpoint, Shard, Tensor, header_bytes
from tokenizer.adapt.weights_matrix import MatrixWriter, RowReader, Statistics, measure
from tokenizer.adapt.weights_plan import OUTPUT, Matrix, Plan
from tokenizer.adapt.weights_rows import METHODS, Rule
from tokenizer.files import read_json

#: What a run leaves in its folder: what it was, what is done, and in the end the report.
JOURNAL: Final = "_weights.json"
PARTIAL: Final = ".partial"
#: Bytes copied at once.
COPIED: Final = 16 << 20

Progress = Callable[[str, int, int], None]
"""Called with what is being done, bytes done, bytes in all. What it raises stops the run and is raised."""
Hidden = npt.NDArray[np.float64]


def new_tensors(shard: Shard, plan: Plan) -> list[tuple[str, str, tuple[int, ...], int]]:
    """What the new shard holds, in order: (name, dtype, shape, bytes); an untied output matrix last."""
    resized = {one.tensor.name for one in plan.matrices}
    out, last = [], []
    for tensor in shard.tensors:
        if tensor.name not in resized:
            out.append((tensor.name, tensor.dtype, tensor.shape, tensor.size))
            continue
        shape = (plan.rows, *tensor.shape[1:])
        out.append((tensor.name, tensor.dtype, shape, plan.rows * tensor.row_size))
        if plan.untied and tensor is plan.matrices[0].tensor:
            last.append((plan.untied, tensor.dtype, shape, plan.rows * tensor.row_size))
    return out + last


def write_small(path: Path, data: bytes) -> None:
    """Write a small file aside and rename it."""
    aside = path.with_name(path.name + PARTIAL)
    with aside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Alone in the folder. ValueError where another process writes there."""
    with (out / f"{JOURNAL}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(f"{out}: another process is writing there") from error
        yield


@dataclass
class Journal:
    """What a folder's run was (a digest of all that decides its output) and which shards are done."""

    path: Path
    key: str
    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def begin(cls, out: Path, key: str, redo: bool) -> Journal:
        """The journal of `out`, made where there is none. ValueError where it is another run's and not to be
        redone."""
        path = out / JOURNAL
        if path.is_file():
            found = read_json(path)
            if found.get("key") == key:
                return cls(path, key, dict(found.get("done", {})), dict(found.get("about", {})))
            if not redo:
                raise ValueError(
                    f"{out} was made of another model, map or options; name another folder or --redo"
                )
            (out / CONFIG).unlink(missing_ok=True)
            for name in found.get("done", {}):
                (out / Path(name).name).unlink(missing_ok=True)
        made = cls(path, key)
        made.save()
        return made

    def save(self) -> None:
        """Write the journal to its file."""
        state = {"key": self.key, "done": self.done, "about": self.about}
        write_small(self.path, json.dumps(state, ensure_ascii=False, indent=1).encode())

    def holds(self, path: Path) -> bool:
        """Whether a shard was written and is still as long as it was."""
        return path.is_file() and self.done.get(path.name, {}).get("size") == path.stat().st_size


@dataclass
class ShardWriter:
    """Writes a checkpoint's shards one after the other; says how far it is; keeps the matrices' figures."""

    checkpoint: Checkpoint
    plan: Plan
    method: str
    padding: str
    link: bool
    hidden: Hidden | None
    out: Path
    journal: Journal
    progress: Progress | None
    figures: list[dict[str, Any]] = field(default_factory=list)
    written: int = 0
    linked: int = 0
    resumed: int = 0

    def run(self) -> None:
        """All shards. ValueError where the disk has no room for them."""
        self._check_room()
        for shard in self.checkpoint.shards:
            target = self.out / shard.path.name
            if self.journal.holds(target):
                self.resumed += target.stat().st_size
                self.figures += self.journal.done[target.name]["matrices"]
            else:
                before = len(self.figures)
                self._shard(shard, target)
                done = {"size": target.stat().st_size, "matrices": self.figures[before:]}
                self.journal.done[target.name] = done
                self.journal.save()
            self._report(shard.path.name)

    @property
    def total(self) -> int:
        """Bytes of the new shards, headers apart."""
        return sum(size for shard in self.checkpoint.shards for *_, size in new_tensors(shard, self.plan))

    def _report(self, what: str) -> None:
        if self.progress:
            self.progress(what, self.written + self.linked + self.resumed, self.total)

    def _check_room(self) -> None:
        need = sum(
            sum(size for *_, size in new_tensors(shard, self.plan))
            for shard in self.checkpoint.shards
            if not self.journal.holds(self.out / shard.path.name)
            and not (self.link and not self._resized(shard))
        )
        free = shutil.disk_usage(self.out).free
        if need > free:
            raise ValueError(
                f"{self.out}: {need / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free; make room, name "
                "another disk, or --link the shards that do not change"
            )

    def _resized(self, shard: Shard) -> dict[str, Matrix]:
        names = {tensor.name for tensor in shard.tensors}
        return {one.tensor.name: one for one in self.plan.matrices if one.tensor.name in names}

    def _shard(self, shard: Shard, target: Path) -> None:
        aside = target.with_name(target.name + PARTIAL)
        aside.unlink(missing_ok=True)
        resized = self._resized(shard)
        if not resized and self.link and _linked(shard.path, aside):
            self.linked += shard.size
        else:
            with aside.open("wb") as file, shard.path.open("rb") as source:
                if resized:
                    self._resize(shard, resized, source.fileno(), file.fileno())
                else:
                    self._copy(source.fileno(), 0, shard.size, file.fileno(), shard.path.name)
                os.fsync(file.fileno())
        aside.replace(target)

    def _resize(self, shard: Shard, resized: Mapping[str, Matrix], source: int, file: int) -> None:
        header = header_bytes(new_tensors(shard, self.plan), shard.metadata)
        _write_all(file, np.frombuffer(header, np.uint8))
        last: Tensor | None = None
        for tensor in shard.tensors:
            one = resized.get(tensor.name)
            if one is None:
                self._copy(source, tensor.begin, tensor.end, file, tensor.name)
                continue
            self._matrix(one, file, one.tensor.name)
            if self.plan.untied and tensor is self.plan.matrices[0].tensor:
                last = tensor
        if last is not None:
            self._matrix(Matrix(last, OUTPUT), file, self.plan.untied)

    def _matrix(self, matrix: Matrix, file: int, name: str) -> None:
        with RowReader(matrix.tensor) as reader:
            writer = self._writer(matrix, reader)
            for block in writer.blocks():
                _write_all(file, block.reshape(-1))
                self.written += block.size
                self._report(name)
            self.figures.append(writer.figures(matrix.role) | {"name": name})

    def _writer(self, matrix: Matrix, reader: RowReader) -> MatrixWriter:
        rule: Rule = getattr(METHODS[self.method], matrix.role)
        statistics: Statistics = measure(reader, self.plan, rule, self.hidden)
        return MatrixWriter(reader, self.plan, rule, statistics, self.padding)

    def _copy(self, source: int, begin: int, end: int, file: int, name: str) -> None:
        """Bytes of one file at the end of another, by the kernel where it can."""
        by_kernel = True
        while begin < end:
            size = min(COPIED, end - begin)
            if by_kernel:
                try:
                    done = os.copy_file_range(source, file, size, begin)
                except OSError:
                    by_kernel = False
                    continue
            else:
                done = os.write(file, os.pread(source, size, begin))
            if not done:
                raise EOFError(f"{name} ended early: the checkpoint changed while it was read")
            begin += done
            self.written += done
            self._report(name)


def _linked(source: Path, target: Path) -> bool:
    """Make a hard link to the file itself (a hub's cache holds symbolic links); False where the file system
    can't, as between disks."""
    try:
        os.link(source.resolve(), target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP):
            raise
        return False
    return True


def _write_all(file: int, data: Bytes) -> None:
    view = data.data
    while len(view):
        view = view[os.write(file, view[: 1 << 30]) :]
