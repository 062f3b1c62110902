"""What is asked of the machines of a cluster, and what a task that one of them had has left: no Ray here."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from corpus import storage
from corpus.credentials import Keys, learn
from corpus.errors import BukvarError, one_line
from corpus.receipts import FAILED, RUNNING, Receipt, read_receipt, versions
from corpus.stage import Task


def probe(location: str, token: str, wanted: dict[str, str], keys: Sequence[Keys] = ()) -> str:
    """What is wrong with the machine that this runs on, for a run into the folder of `location` by a driver
    with these versions and keys of stores; empty where nothing is."""
    learn(keys)
    here = versions()
    for name in ("bukvar", "pyarrow"):  # equal inputs give equal bytes within one version of these
        if here[name] != wanted[name]:
            return f"has {name} {here[name]}, the driver {wanted[name]}; install the same wheel on all"
    folder = storage.parent(location)
    try:
        found = storage.read_bytes(location).decode()
    except BukvarError:
        found = ""
    if found != token:
        return (
            f"does not see {folder} as the driver does; give --out a folder that all machines share, "
            "or an object store (s3://)"
        )
    try:
        mark = storage.join(folder, f"{storage.base_name(location)}.back")
        storage.write_bytes(mark, b"")
        storage.delete(mark)
    except BukvarError as error:
        return f"can't write to {folder} ({one_line(error)})"
    return ""


def receipt_of(task: Task) -> Receipt | None:
    """The receipt of a task, where it is done."""
    with contextlib.suppress(BukvarError):
        receipt = read_receipt(task.folder, task.record)
        return receipt if receipt is not None and receipt.key == task.key() else None
    return None


def how_far(task: Task) -> str:
    """How far a task was, as its last heartbeat says."""
    with contextlib.suppress(BukvarError, msgspec.MsgspecError):
        location = storage.join(task.folder, RUNNING, f"{task.record}.json")
        note = msgspec.json.decode(storage.read_bytes(location), type=dict[str, Any])
        size = sum(i.size for i in task.inputs)
        share = float(note.get("done", 0.0))
        return f" (at {share:.0%}, about byte {int(share * size)})"
    return ""


def has_token() -> bool:
    """Whether Ray would find a token, in the places that its manual names."""
    if os.environ.get("RAY_AUTH_TOKEN"):
        return True
    path = os.environ.get("RAY_AUTH_TOKEN_PATH")
    return (Path(path) if path else Path.home() / ".ray" / "auth_token").is_file()


def anywhere(task: Task) -> Task:
    """The task with whole paths: a worker's current folder need not be ours."""
    inputs = tuple(dataclasses.replace(i, path=storage.absolute(i.path)) for i in task.inputs)
    scratch = task.scratch and storage.absolute(task.scratch)
    return dataclasses.replace(task, inputs=inputs, folder=storage.absolute(task.folder), scratch=scratch)


def forget_failure(task: Task) -> None:
    """Delete the note of a failure of a task that another copy of it may yet do."""
    with contextlib.suppress(BukvarError):
        storage.delete(storage.join(task.folder, FAILED, f"{task.record}.json"))
