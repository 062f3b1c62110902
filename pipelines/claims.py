"""Whose folder it is: the stage, parameters and inputs that a stage's folder was made of (`_plan.json`).

A folder of another stage, other parameters or wholly other inputs is refused unless `redo` is asked for.
"""

from __future__ import annotations

from typing import Any

import msgspec

from corpus import receipts as records
from corpus import storage
from corpus.errors import UsageError
from corpus.stage import parameters
from pipelines.lease import Held
from pipelines.planning import Plan


def check_folder(plan: Plan) -> None:
    """Raise UsageError where the folder holds something else and `redo` is not set. Writes nothing."""
    folder = plan.job.folder
    if storage.exists(storage.join(folder, records.PLAN)):
        if not plan.job.redo:
            _check_same(folder, read_plan(folder), _plan_of(plan))
    elif has_files(folder):
        raise UsageError(
            f"{folder}: the folder has files that bukvar did not write; choose an empty or new --out"
        )
    elif _is_file(folder):
        raise UsageError(f"{folder}: a file, not a folder; choose another --out")


def has_files(folder: str) -> bool:
    """Whether a folder has files; those that a killed writer left half-written are none."""
    return any(not storage.is_partial(storage.base_name(file)) for file in storage.list_files(folder))


def claim(plan: Plan, held: Held) -> bool:
    """Make the folder this job's. Returns whether its files are in doubt: a driver that did not end well had
    tasks of other keys here, which may have written a file after ours, of the same size perhaps. They stay
    so, for later commands too, until `settle`.
    """
    made = _plan_of(plan)
    location = storage.join(plan.job.folder, records.PLAN)
    old = read_plan(plan.job.folder) if storage.exists(location) else None
    if old is not None:
        others = held.after is not None and old.get("keys") != made["keys"]
        if others or old.get("in_doubt", False):
            made["in_doubt"] = True
    if made != old:
        _write(location, made)
    return "in_doubt" in made


def settle(plan: Plan) -> None:
    """Say that the files of a folder that were in doubt are ours, by their digests."""
    _write(storage.join(plan.job.folder, records.PLAN), _plan_of(plan))


def _write(location: str, plan: dict[str, Any]) -> None:
    storage.write_bytes(location, msgspec.json.format(msgspec.json.encode(plan), indent=1) + b"\n")


def _plan_of(plan: Plan) -> dict[str, Any]:
    plain = msgspec.json.decode(msgspec.json.encode(parameters(plan.stage, plan.sides)))
    return {
        "stage": plan.stage.name,
        "version": plan.stage.version,
        "parameters": plain,
        "inputs": [i.name for i in plan.job.inputs],
        "tasks": len(plan.tasks),
        "keys": records.digest_of(plan.keys),
    }


def _check_same(folder: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    if old["stage"] != new["stage"]:
        raise UsageError(
            f"{folder}: holds the output of `{old['stage']}`, not of `{new['stage']}`; choose another --out"
        )
    changed = [
        f"{key} {_change(old['parameters'].get(key), new['parameters'].get(key))}"
        for key in sorted({*old["parameters"], *new["parameters"]})
        if old["parameters"].get(key) != new["parameters"].get(key)
    ]
    if changed:
        raise UsageError(
            f"{folder}: made with other parameters ({'; '.join(changed[:3])}); "
            "choose another --out, or redo what changed with --redo"
        )
    if old["inputs"] and not set(old["inputs"]) & set(new["inputs"]):
        raise UsageError(
            f"{folder}: made from other inputs ({old['inputs'][0]} ...); "
            "choose another --out, or replace it with --redo"
        )


def _change(old: Any, new: Any) -> str:
    """Two values of a parameter; of files, which are named with their digests, the names."""
    names = [_file_names(value) for value in (old, new)]
    if names[0] is not None and names[0] == names[1]:
        return f"with other content of {names[0]}"
    shown = [repr(value) if name is None else name for value, name in zip((old, new), names, strict=True)]
    return " -> ".join(shown)


def _file_names(value: Any) -> str | None:
    """The names in a list of files and digests; None for any other value."""
    files = isinstance(value, list) and bool(value)
    if not files or not all(isinstance(one, list | tuple) and len(one) == 2 for one in value):
        return None
    return ", ".join(str(name) for name, _ in value)


def read_plan(folder: str) -> dict[str, Any]:
    """The plan that a stage's folder belongs to. Raises UsageError where the folder is none of ours."""
    location = storage.join(folder, records.PLAN)
    if not storage.exists(location):
        raise UsageError(f"{folder}: not a folder that a bukvar stage wrote (no {records.PLAN})")
    try:
        return msgspec.json.decode(storage.read_bytes(location), type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise UsageError(f"{location}: damaged ({error}); delete it to make the folder anew") from error


def _is_file(location: str) -> bool:
    path = storage.local_path(location)
    return path is not None and path.is_file()
