"""Recipes: one TOML for a whole run, turned into frozen dataclasses; an unknown key is an error.

Each section is the dataclass of a stage, so parameters, defaults and help are written once, there. Paths in
a recipe are relative to the recipe's own file; paths given by `--set` are relative to the current folder.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Final

import msgspec
import tomli_w

from corpus import credentials, storage
from corpus.errors import UsageError
from pipelines import registry


@dataclass(frozen=True)
class InputSection:
    """What a run reads."""

    paths: tuple[str, ...] = field(
        default=(), metadata={"help": "files, folders, globs or URLs of crawls (or of documents)"}
    )
    text_column: str = field(
        default="text", metadata={"help": "column that holds the text, where documents are read"}
    )


@dataclass(frozen=True)
class RunSection:
    """Which stages run, and where."""

    stages: tuple[str, ...] = field(
        default_factory=lambda: tuple(row.name for row in registry.rows() if row.default),
        metadata={"help": "stages, in the order of the main job"},
    )
    out: str = field(default="", metadata={"help": "folder of the run; out/NAME where empty"})
    executor: str = field(default="ray", metadata={"help": "ray or inline"})
    address: str = field(default="", metadata={"help": "address of a Ray cluster; started here where empty"})
    workers: int = field(
        default=0, metadata={"help": "tasks at a time on this machine; 0: one per processor"}
    )
    fail_if_empty: bool = field(
        default=False, metadata={"help": "exit with 1 where a stage leaves no document"}
    )
    part_mb: int = field(
        default=128,
        metadata={"help": "size in MB above which Parquet, JSONL, text and crawl files are cut into parts"},
    )
    scratch: str = field(
        default="", metadata={"help": "folder for temporary files on the machines; the system's where empty"}
    )
    metrics: str = field(
        default="",
        metadata={
            "help": "file for Prometheus metrics, rewritten every few seconds; http://HOST:PORT serves them"
        },
    )

    def __post_init__(self) -> None:
        if self.part_mb < 1:
            raise ValueError("run.part_mb is at least 1")
        known = registry.names()
        unknown = [s for s in self.stages if s not in known]
        if unknown:
            raise ValueError(f"run.stages: no stage {unknown[0]!r}{_nearest(unknown[0], known)}")
        if list(self.stages) != sorted(set(self.stages), key=known.index):
            raise ValueError(f"run.stages: keep the order {', '.join(known)}, each at most once")


@dataclass(frozen=True)
class Recipe:
    """A whole run, resolved: every section a frozen dataclass with all its values."""

    name: str
    description: str
    sections: Mapping[str, Any]

    @property
    def input(self) -> InputSection:
        """The section `[input]`."""
        section: InputSection = self.sections["input"]
        return section

    @property
    def run(self) -> RunSection:
        """The section `[run]`."""
        section: RunSection = self.sections["run"]
        return section

    def to_toml(self, *leave_out: str) -> str:
        """The resolved recipe, every key written out, less some sections. `_recipe.toml` in a run's folder
        holds it whole; a dataset's card less `input` and `run`, which hold paths of the machine."""
        plain = {name: _plain(section) for name, section in self.sections.items() if name not in leave_out}
        text: str = tomli_w.dumps({"name": self.name, "description": self.description, **plain})
        return text


def _plain(section: Any) -> dict[str, Any]:
    return {k: v for k, v in msgspec.to_builtins(dataclasses.asdict(section)).items() if v is not None}


#: Sections that are no stage's.
_OF_THE_RUN: Final[dict[str, type[Any]]] = {"input": InputSection, "run": RunSection}


def section_class(name: str) -> type[Any]:
    """The dataclass of a section."""
    return _OF_THE_RUN.get(name) or registry.row_of(name).load()


def section_order() -> tuple[str, ...]:
    """All sections a recipe may have, in the order in which they are written."""
    return (*_OF_THE_RUN, *registry.names())


def load(location: str, settings: Sequence[str] = ()) -> Recipe:
    """Read a recipe, by path or by the name of a bundled one, and apply `--set` overrides.

    Raises UsageError for a missing file, TOML that does not parse, an unknown section or key (naming the
    nearest known one), or a value of the wrong type.
    """
    text, folder = _read(location)
    try:
        data = tomllib.loads(credentials.take(text))
    except tomllib.TOMLDecodeError as error:
        twice = str(error).startswith("Cannot overwrite a value")
        why = str(error).replace("Cannot overwrite a value", "this key is set twice; keep one of them")
        raise UsageError(f"{location}: {why if twice else f'not valid TOML: {error}'}") from error
    _anchor_paths(data, folder)
    for setting in settings:
        _apply(data, setting)
    _anchor_paths(data, str(Path.cwd()))
    name = data.pop("name", Path(location).stem)
    description = data.pop("description", "")
    if not isinstance(name, str) or not isinstance(description, str):
        raise UsageError(f"{location}: name and description are text")
    known = section_order()
    for section in data:
        if section not in known:
            raise UsageError(f"{location}: no section or key {section!r}{_nearest(section, known)}")
    wanted = {*_OF_THE_RUN, *build("run", data.get("run", {}), location).stages}
    sections = {n: build(n, data.get(n, {}), location) for n in known if n in wanted or n in data}
    return Recipe(name, description, sections)


def _read(location: str) -> tuple[str, str]:
    bundled = resources.files("pipelines") / "recipes" / f"{location}.toml"
    if "/" not in location and not location.endswith(".toml") and bundled.is_file():
        return bundled.read_text("utf-8"), str(resources.files("pipelines") / "recipes")
    if not storage.exists(location):
        known = ", ".join(bundled_names())
        raise UsageError(f"{location}: no such recipe file, and no bundled recipe of that name ({known})")
    path = storage.local_path(location)
    if path is not None and path.is_dir():
        raise UsageError(f"{location}: a folder; name a recipe file in it")
    try:
        text = storage.read_bytes(location).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{location}: not a text file in UTF-8; a recipe is TOML") from error
    return text, str(path.parent if path else Path.cwd())


def bundled_names() -> list[str]:
    """Names of the recipes that come with bukvar."""
    folder = resources.files("pipelines") / "recipes"
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))


def _anchor_paths(data: dict[str, Any], folder: str) -> None:
    """Make local input paths absolute: a run's folder tells one recipe from another whatever the current
    folder is. What is not a path or a list of paths is left to `build` to refuse."""
    section = data.get("input")
    paths = section.get("paths") if isinstance(section, dict) else None
    paths = [paths] if isinstance(paths, str) else paths
    if isinstance(paths, list) and all(isinstance(p, str) for p in paths):
        data["input"]["paths"] = [_anchored(p, folder) for p in paths]


def _anchored(path: str, folder: str) -> str:
    return path if storage.is_url(path) else os.path.normpath(Path(folder) / path)


def parse_settings(settings: Sequence[str], section: str) -> dict[str, Any]:
    """`section.key=value` settings for one section as a dict. Raises UsageError for another section."""
    data: dict[str, Any] = {}
    for setting in settings:
        _apply(data, setting)
    for name in data:
        if name != section:
            if not isinstance(data[name], dict):
                raise UsageError(f"--set {name}=...: write it as {section}.{name}=...")
            hint = (
                f"; this command has the section {section!r}"
                if name in section_order()
                else _nearest(name, section_order())
            )
            raise UsageError(f"--set {name}...: not a section here{hint}")
    found: dict[str, Any] = data.get(section, {})
    return found


def _apply(data: dict[str, Any], setting: str) -> None:
    key, equals, value = setting.partition("=")
    parts = key.strip().split(".")
    if not equals or len(parts) > 2 or not all(parts):
        raise UsageError(f"--set {setting}: write it as section.key=value, for example filter.min_words=80")
    target = data
    if len(parts) == 2:
        target = data.setdefault(parts[0], {})
        if not isinstance(target, dict):
            raise UsageError(f"--set {setting}: {parts[0]!r} is not a section")
    target[parts[-1]] = _value(value)


def _value(text: str) -> Any:
    """A value as TOML reads it; text that is no TOML value is a string (so quotes are not needed)."""
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text


def build(section: str, values: Any, where: str = "--set") -> Any:
    """The dataclass of a section from plain values. Raises UsageError naming section, key and remedy."""
    cls = section_class(section)
    if not isinstance(values, dict):
        raise UsageError(f"{where}: [{section}] is a table of keys, not {type(values).__name__}")
    names = [f.name for f in dataclasses.fields(cls)]
    for key in values:
        if key not in names:
            raise UsageError(f"{where}: no key {section}.{key}{_nearest(key, names)}")
    values = {k: _widen(cls, k, v) for k, v in values.items()}
    try:
        return msgspec.convert(values, cls)
    except msgspec.ValidationError as error:
        said = _explain(section, str(error))
        # What --set says of a section as a whole may come of another option: --vocab-size, --add.
        raise UsageError(said if where == "--set" and said.startswith("[") else f"{where}: {said}") from error
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from error


def _widen(cls: type[Any], key: str, value: Any) -> Any:
    """`--set input.paths=a` for a list of one."""
    kind = next(str(f.type) for f in dataclasses.fields(cls) if f.name == key)
    return [value] if kind.startswith("tuple") and isinstance(value, str | int | float) else value


def _explain(section: str, message: str) -> str:
    text, _, place = message.partition(" - at `$.")
    text = re.sub(r"`([^`]*)`", lambda kind: _plain_type(kind[1]), text)
    return f"{section}.{place.rstrip('`')}: {text[0].lower()}{text[1:]}" if place else f"[{section}] {text}"


#: Types as msgspec names them -> as a person does.
_TYPES: Final = {
    "float": "a number", "int": "a whole number", "str": "text", "bool": "true or false", "array": "a list",
    "object": "a table",
}  # fmt: skip


def _plain_type(kind: str) -> str:
    return " or ".join(_TYPES.get(one, one) for one in kind.split(" | ") if one != "null")


def _nearest(word: str, known: Any) -> str:
    match = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {match[0]!r}?" if match else f"; choose from {', '.join(list(known)[:12])}"
