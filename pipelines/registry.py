"""The stages: one row each. Commands, recipe sections, order of the job and reasons derive from these rows.

A stage is a file with its dataclass, and a row here. Another package adds stages by an entry point of the
group `bukvar.stages` that names a `StageRow`; its row says `after` which stage it comes. This module imports
no stage: a class is loaded when somebody asks for it, so that `bukvar --help` starts at once.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, Final

from corpus.errors import UsageError

#: Group of the entry points by which other packages add stages.
GROUP: Final = "bukvar.stages"
#: What a stage may read. `pipelines.inputs` says which files a folder is searched for.
READS: Final = ("crawls", "documents", "texts", "parquet")


@dataclass(frozen=True)
class StageRow:
    """One stage: its name is its command, its section of a recipe and its folder in a run."""

    name: str
    #: "module:Class" of the stage's dataclass.
    implementation: str
    #: One line for `bukvar --help`.
    summary: str
    #: One of `READS`.
    reads: str = "documents"
    #: Whether documents come out, which the next stage reads; stages that make something else do not pass on.
    documents: bool = True
    #: Whether `run.stages` holds it where a recipe names no stages.
    default: bool = True
    #: Stage after which a row of another package stands in the order of the job; the last where empty.
    after: str = ""
    #: Folder in a run; the name where empty.
    folder: str = ""
    #: "module:command" of a command of its own; the command of a document stage where empty.
    command: str = ""
    example: str = ""
    #: "module:function", called with stage, folder and `account.Run` when the stage of a run is done.
    finish: str = ""
    #: Parameter that names a side input -> stage of the same run that makes it where it is not given, or a
    #: folder of that stage's, which may be missing.
    takes: Mapping[str, str] = field(default_factory=dict)

    def load(self) -> type[Any]:
        """The stage's class. Raises UsageError where a package of others can't be imported."""
        found: type[Any] = self._object(self.implementation)
        return found

    def done(self, stage: Any, folder: str, run: Any) -> None:
        """Call `finish` where there is one."""
        if self.finish:
            self._object(self.finish)(stage, folder, run)

    def _object(self, place: str) -> Any:
        module, _, attribute = place.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise UsageError(f"stage {self.name}: {place} can't be imported ({error})") from error


#: Rows of bukvar's own stages, in the order of the main job.
OWN: Final = (
    StageRow(
        "extract",
        "corpus.extract.stage:Extract",
        "crawl files (WARC, ARC, WET) to documents",
        reads="crawls",
        example="bukvar extract crawl/*.warc.gz --out docs",
    ),
    StageRow(
        "identify",
        "corpus.language:Identify",
        "keep what is Russian, or only say what language each text is",
        example="bukvar identify docs --out russian --set identify.keep=all",
    ),
    StageRow(
        "clean",
        "corpus.clean.lines:Clean",
        "remove boilerplate lines from documents",
        example="bukvar clean russian --out clean",
    ),
    StageRow(
        "hostlines",
        "corpus.clean.hostlines:HostLines",
        "take lines out that stand on many pages of one host",
        default=False,
        example="bukvar hostlines clean --out lines --set hostlines.pages=10",
    ),
    StageRow(
        "mask",
        "corpus.mask:Mask",
        "mask personal data, keys and passwords",
        example="bukvar mask clean --out masked --set mask.preset=152-fz",
    ),
    StageRow(
        "filter",
        "corpus.quality.verdicts:Filter",
        "compute quality signals and drop what fails a preset; fit one to labels",
        command="pipelines.commands.filter:command",
        example="bukvar filter clean --out good --set filter.min_words=80",
    ),
    StageRow(
        "classify",
        "corpus.classify:Classify",
        "train a classifier of one's own; score documents by it",
        command="pipelines.commands.classify:classify",
        default=False,
    ),
    StageRow(
        "dedup",
        "corpus.dedup.near:Dedup",
        "drop exact and near duplicates",
        example="bukvar dedup good --out unique --set dedup.bands=14",
    ),
    StageRow(
        "quota",
        "corpus.quota:Quota",
        "keep at most so many documents of a host and of a registered domain",
        default=False,
        example="bukvar quota unique --out even --set quota.per_host=1000",
    ),
    StageRow(
        "decontaminate",
        "corpus.decontaminate:Decontaminate",
        "drop documents that hold texts of benchmarks, or cut the passages",
        default=False,
        example="bukvar decontaminate unique --out fair --set decontaminate.benchmarks=xquad.parquet",
    ),
    StageRow(
        "publish",
        "pipelines.publish:Publish",
        "write a dataset of even shards with manifest and card",
        reads="parquet",
        documents=False,
        folder="dataset",
        finish="pipelines.publish:finish",
        command="pipelines.commands.publish:publish",
        takes={"sites": "extract/_sites"},
    ),
    StageRow(
        "train",
        "pipelines.train:Train",
        "train a byte-level BPE tokenizer",
        reads="texts",
        documents=False,
        folder="tokenizer",
        command="pipelines.commands.train:train",
    ),
    StageRow(
        "evaluate",
        "pipelines.evaluate:Evaluate",
        "compare tokenizers on texts",
        reads="texts",
        documents=False,
        folder="evaluation",
        command="pipelines.commands.evaluate:evaluate",
        takes={"tokenizer": "train"},
    ),
    StageRow(
        "mix",
        "pipelines.mix.stage:Mix",
        "mix sources by weights and budgets into shuffled shards",
        default=False,
        command="pipelines.commands.mix:mix",
    ),
    StageRow(
        "encode",
        "pipelines.encode:Encode",
        "write documents as token ids, in the files that trainers read",
        documents=False,
        default=False,
        folder="tokens",
        command="pipelines.commands.encode:encode",
        finish="pipelines.tokens.manifest:finish",
        takes={"tokenizer": "train"},
    ),
    StageRow(
        "adapt",
        "pipelines.adapt:Adapt",
        "give an open model's tokenizer a Russian vocabulary, with proofs",
        reads="texts",
        documents=False,
        default=False,
        folder="adapted",
        command="pipelines.commands.adapt:adapt",
    ),
)


@functools.cache
def rows() -> tuple[StageRow, ...]:
    """All stages in the order of the main job, those of other packages included.

    Raises UsageError for an entry point that can't be loaded, that takes a name in use, or whose `after`
    names no stage.
    """
    return ordered(OWN, _others())


def ordered(own: Iterable[StageRow], others: Iterable[StageRow]) -> tuple[StageRow, ...]:
    """`own` with each of `others` after the stage it names, in the order of their names."""
    found = list(own)
    for row in sorted(others, key=lambda one: one.name):
        names = [one.name for one in found]
        if row.name in names:
            raise UsageError(f"two packages have a stage {row.name!r}; uninstall one of them")
        if row.after and row.after not in names:
            raise UsageError(f"stage {row.name}: it stands after {row.after!r}, which is no stage")
        if row.reads not in READS:
            raise UsageError(f"stage {row.name}: reads is {row.reads!r}, not one of {', '.join(READS)}")
        found.insert(names.index(row.after) + 1 if row.after else len(found), row)
    return tuple(found)


def _others() -> list[StageRow]:
    found = []
    for entry in metadata.entry_points(group=GROUP):
        try:
            row = entry.load()
        except Exception as error:  # another package's import may raise anything
            raise UsageError(
                f"the entry point {entry.name} ({entry.value}) of {GROUP} does not load: {error}"
            ) from error
        if not isinstance(row, StageRow):
            raise UsageError(f"the entry point {entry.name} ({entry.value}) of {GROUP} is no StageRow")
        found.append(row)
    return found


def names() -> tuple[str, ...]:
    """Names of all stages, in the order of the main job."""
    return tuple(row.name for row in rows())


def row_of(name: str) -> StageRow:
    """The row of a stage. Raises UsageError where there is none."""
    for row in rows():
        if row.name == name:
            return row
    raise UsageError(f"no stage {name!r}; choose from {', '.join(names())}")


def reasons(stages: Iterable[str] = ()) -> dict[str, str]:
    """Drop reasons of stages (all where none are named) with their meaning, the readers' own included."""
    from corpus.table import READ_REASONS

    found = dict(READ_REASONS)
    for name in stages or names():
        found |= row_of(name).load().reasons
    return found
