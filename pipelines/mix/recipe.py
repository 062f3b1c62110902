"""The recipe of a mix: sources with their upsampling, phases with budgets and weights."""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from corpus import credentials
from corpus.errors import UsageError
from pipelines.mix.presets import PRESETS

TOKENS: Final = "tokens"
DOCUMENTS: Final = "documents"
ERROR: Final = "error"
TAKE: Final = "take"
#: Times a document may stand in one pass over its source: more is a mistake.
MOST_COPIES: Final = 100
#: Passes over a source at most; beyond four repeats teach little (Muennighoff et al. 2023).
MOST_EPOCHS: Final = 100
_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,31}")


@dataclass(frozen=True)
class Upsampling:
    """How often a document stands in one pass: by the value of a column, from each of these values on. Below
    the first it stands not at all; a document without the value stands once."""

    column: str
    weights: dict[str, float]

    def steps(self) -> tuple[list[float], list[float]]:
        """Values in order, and times from each on."""
        pairs = sorted((float(value), times) for value, times in self.weights.items())
        return [value for value, _ in pairs], [times for _, times in pairs]


@dataclass(frozen=True)
class Source:
    """inputs: files and folders of documents. epochs: passes over it at most. cluster_size: name of a preset
    or weights by the column `cluster_size`. by: weights by other columns, multiplied."""

    inputs: tuple[str, ...]
    epochs: float = 1.0
    cluster_size: str | dict[str, float] = ""
    by: tuple[Upsampling, ...] = ()

    def upsampling(self) -> tuple[Upsampling, ...]:
        """All that decides how often a document stands."""
        given = self.cluster_size
        if isinstance(given, str):
            given = {str(size): float(times) for size, times in PRESETS.get(given, {}).items()}
        own = (Upsampling("cluster_size", given),) if given else ()
        return (*own, *self.by)


@dataclass(frozen=True)
class MixPhase:
    """A phase of a curriculum. budget: tokens or documents; 0: the most that weights and epochs allow.
    weights: source -> share of the budget, in any unit; sources that are not named give nothing."""

    name: str
    weights: dict[str, float]
    budget: int = 0


@dataclass(frozen=True)
class MixRecipe:
    """unit: what budgets count. short: what to do where a budget can't be met (error, or take what there
    is)."""

    sources: dict[str, Source] = field(default_factory=dict)
    phases: tuple[MixPhase, ...] = ()
    seed: int = 0
    unit: str = TOKENS
    tokenizer: str = ""
    short: str = ERROR

    def curriculum(self) -> tuple[MixPhase, ...]:
        """The phases; one that takes every source whole where none is named."""
        return self.phases or (MixPhase("all", {}),)


def read(path: str) -> MixRecipe:
    """Read a recipe of a mix. Raises UsageError, in one line, for what is wrong with it."""
    try:
        data = tomllib.loads(credentials.take(Path(path).read_text("utf-8")))
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: not TOML ({error})") from error
    return of(data, path)


def of(data: Any, where: str = "mix") -> MixRecipe:
    """The recipe in plain data. Raises UsageError."""
    _no_unknown(data, where)
    try:
        recipe = msgspec.convert(data, MixRecipe)
        _check(recipe)
    except (msgspec.ValidationError, ValueError) as error:
        raise UsageError(f"{where}: {error}") from error
    return recipe


def _no_unknown(data: Any, where: str) -> None:
    parts: list[tuple[str, Any, type[Any]]] = [("", data, MixRecipe)]
    if isinstance(data.get("sources"), dict):
        parts += [(f"sources.{name}.", one, Source) for name, one in data["sources"].items()]
        for name, one in data["sources"].items():
            by = one.get("by", ()) if isinstance(one, dict) else ()
            if isinstance(by, list):
                parts += [(f"sources.{name}.by.", each, Upsampling) for each in by]
    if isinstance(data.get("phases"), list):
        parts += [("phases.", one, MixPhase) for one in data["phases"]]
    for prefix, one, kind in parts:
        known = kind.__dataclass_fields__
        for key in one if isinstance(one, dict) else ():
            if key not in known:
                raise UsageError(f"{where}: no key {prefix}{key}; choose from {', '.join(known)}")


def _check(recipe: MixRecipe) -> None:
    if not recipe.sources:
        raise ValueError("name at least one source ([sources.NAME], inputs = [...])")
    if recipe.unit not in (TOKENS, DOCUMENTS):
        raise ValueError(f"unit is {TOKENS} or {DOCUMENTS}, not {recipe.unit!r}")
    if recipe.unit == TOKENS and not recipe.tokenizer:
        raise ValueError('budgets in tokens need a tokenizer (tokenizer = "ru-32k"), or unit = "documents"')
    if recipe.short not in (ERROR, TAKE):
        raise ValueError(f"short is {ERROR} or {TAKE}, not {recipe.short!r}")
    names = [one.name for one in recipe.curriculum()]
    for name in (*recipe.sources, *names):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r}: names are letters, digits, dots and dashes, 32 at most")
    if len(set(names)) != len(names):
        raise ValueError("phases need names of their own")
    for name, source in recipe.sources.items():
        _check_source(name, source)
    for phase in recipe.phases:
        _check_phase(phase, recipe)


def _check_source(name: str, source: Source) -> None:
    if not source.inputs:
        raise ValueError(f"sources.{name}.inputs: name a file or folder")
    if not 0 < source.epochs <= MOST_EPOCHS:
        raise ValueError(f"sources.{name}.epochs lies above 0, up to {MOST_EPOCHS}")
    if isinstance(source.cluster_size, str) and source.cluster_size not in ("", *PRESETS):
        raise ValueError(f"sources.{name}.cluster_size is {', '.join(PRESETS)}, or a table of weights")
    for one in source.upsampling():
        try:
            values, times = one.steps()
        except ValueError as error:
            raise ValueError(f"sources.{name}: weights by {one.column}: {error}") from error
        if not values or len(set(values)) != len(values) or any(map(math.isnan, values)):
            raise ValueError(f"sources.{name}: weights by {one.column} need values, each once")
        if not all(0 <= copies <= MOST_COPIES for copies in times):
            raise ValueError(f"sources.{name}: weights by {one.column} lie in 0..{MOST_COPIES}")


def _check_phase(phase: MixPhase, recipe: MixRecipe) -> None:
    if unknown := sorted(phase.weights.keys() - recipe.sources.keys()):
        raise ValueError(
            f"phases.{phase.name}: no source {unknown[0]!r}; choose from {', '.join(recipe.sources)}"
        )
    weights = phase.weights.values()
    if not any(weights) or not all(0 <= weight < math.inf for weight in weights):
        raise ValueError(f"phases.{phase.name}.weights: give a source a share above 0, none below")
    if phase.budget < 0:
        raise ValueError(f"phases.{phase.name}.budget is above 0, or 0 for the most there is")
    if not phase.budget and len(recipe.phases) > 1:
        raise ValueError(f"phases.{phase.name}: with several phases each needs a budget")


@dataclass(frozen=True)
class Taken:
    """What a phase takes of a source. quota: what it was to take, and amount: what it takes, both in the unit
    of the plan; epochs: passes begun before its end."""

    quota: int
    amount: int
    documents: int
    epochs: float


@dataclass(frozen=True)
class Whole:
    """A source: distinct documents, how often they stand in one pass over it, and of one pass documents and
    their amount, in the unit of the plan. unused: what of a pass no phase reaches. never: distinct documents
    whose weights are 0."""

    documents: int
    pass_documents: int
    pass_amount: int
    repeats: float
    unused_documents: int
    unused_amount: int
    never: int
    dropped: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What a mix gives: phase -> source -> what is taken; sources; remarks (budgets that were cut)."""

    unit: str
    seed: int
    phases: dict[str, dict[str, Taken]]
    sources: dict[str, Whole]
    remarks: tuple[str, ...] = ()
