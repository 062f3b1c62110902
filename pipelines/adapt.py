"""Stage `adapt`: an open model's tokenizer given a Russian vocabulary, in three phases of tasks.

    count    one input                        pretokens as the base cuts them
    merge    all counts                       one counts file; runs once
    adapt    counts, texts for the proofs     the tokenizer's files and the report; runs once

The tokenizer package does the work (`tokenizer.adapt`); this module says which files go where.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import ShardError, UsageError
from corpus.inputs import Input
from corpus.stage import Phase, Task, local_copy
from corpus.writing import Output
from pipelines.groups import FOLDER, check_number, folder_of, parse_weights, unpack
from pipelines.inputs import local_tokenizer
from pipelines.texts import read_texts
from pipelines.train import LEARNERS, PLAIN, RUSSIAN, Train, by_group, summed
from tokenizer.parameters import MergeOptions

if TYPE_CHECKING:
    from tokenizer.adapt.base import Base
    from tokenizer.adapt.learn import Adapted, Settings
    from tokenizer.adapt.proofs import Proof

#: The report of an adaptation: figures and proofs.
REPORT: Final = "adaptation.json"
PAGE: Final = "adaptation.md"
#: Of the work of the last task, what is done after learning, and after the texts of the proofs; the rest is
#: the other runtimes.
_LEARNT: Final = 0.5
_READ: Final = 0.9
#: Bytes of memory of a task.
_MEMORY: Final = 2_000 << 20


def _help(text: str, default: Any, **more: Any) -> Any:
    return field(default=default, metadata={"help": text, **more})


@dataclass(frozen=True)
class Adapt(MergeOptions):
    """Give an open model's tokenizer a Russian vocabulary, and prove what changed."""

    name: ClassVar[str] = "adapt"
    version: ClassVar[int] = 2
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema([])
    reasons: ClassVar[Mapping[str, str]] = {}

    base: str = _help(
        "the open tokenizer: a Hugging Face folder, tokenizer.json, tekken.json or tiktoken ranks",
        "",
        input=True,
        tokenizer=True,
    )
    pattern: str = _help("split pattern of a rank file that carries none: a name or an expression", "")
    add: int = _help("tokens to add; with fixed_size the most ids to fill (0: all that are free)", 0)
    fixed_size: bool = _help("keep the number of ids: new tokens only where ids are freed", False)
    give_up: tuple[str, ...] = _help(
        "scripts whose tokens are freed, by Unicode's names (Hangul, Thai), CJK or Indic", ()
    )
    free_unreachable: bool = _help("with fixed_size, free what no text can make, too", True)
    swap: bool = _help("give up the base's little-used Cyrillic tokens first", False)
    swap_uses: int = _help("uses in the input below which they go (0: those of the last new token)", 0)
    keep: tuple[str, ...] = _help(
        "texts of languages that are to stay as they are, a file or folder each", (), input=True
    )
    keep_growth: float = _help("share of tokens by which a text of `keep` may grow", 0.02)
    check_on: tuple[str, ...] = _help(
        "texts for the proofs: at least 100 MB without Cyrillic, and some Russian that is not in the input",
        (),
        input=True,
    )
    boundaries: str = _help(
        "morpheme boundaries for the penalty: russian, none (plain BPE), or a file of lines "
        "word<TAB>morph|morph|...",
        RUSSIAN,
        input=True,
        not_files=(RUSSIAN, PLAIN),
    )
    groups: str = _help("what tells sources apart: folder, or a column of the documents; empty: nothing", "")
    weights: tuple[str, ...] = _help("GROUP=NUMBER of each group: its proportion of bytes", ())
    parity: bool = _help("each token serves the group that takes the most tokens a character then", False)
    min_count: int = _help("pretokens that occur less often (weights included) do not count", 1)
    max_types: int = _help("most pretoken types kept (0: all); bounds memory, about 40 bytes each", 0)

    def __post_init__(self) -> None:
        if self.add < 0 or self.swap_uses < 0 or not 0 <= self.keep_growth <= 10:
            raise ValueError("adapt.add and adapt.swap_uses are not negative, adapt.keep_growth is a share")
        if not self.add and not self.fixed_size:
            raise ValueError("adapt.add says how many tokens to add; or set adapt.fixed_size")
        if self.give_up and not self.fixed_size:
            raise ValueError("adapt.give_up frees ids for adapt.fixed_size; set that, too")
        self._counting("llama3")
        self.learning()

    def _counting(self, pattern: str) -> Train:
        """The trainer's stage, which counts and merges."""
        shared = ("groups", "weights", "parity", "min_count", "max_types")
        return Train(pattern=pattern, held_out=0.0, **{name: getattr(self, name) for name in shared})

    def learning(self, add: int = 0) -> Any:
        """The parameters of learning so many tokens, as the tokenizer package has them."""
        from tokenizer.train import TrainParameters

        given = self.merge_options()
        if self.boundaries == PLAIN:
            given["penalty"] = 0.0
        return TrainParameters(256 + (add or self.add or 32_000), **given)

    def check(self, inputs: Sequence[Input], columns: Collection[str]) -> None:
        """Raise UsageError for what can be known to be wrong before anything is counted."""
        from tokenizer.adapt.scripts import named

        if not self.base:
            raise UsageError("adapt.base: name the tokenizer to adapt")
        try:
            base = opened(self.base, self.pattern)
            named(self.give_up)
        except (ValueError, OSError) as error:
            raise UsageError(f"adapt: {' '.join(str(error).split())}") from error
        self._counting(base.pattern).check(inputs, columns)
        parse_weights(self.weights)

    def phases(self, inputs: Sequence[Input]) -> tuple[Phase, ...]:  # noqa: ARG002 - the same for all inputs
        """count each input; merge; adapt."""
        return (
            Phase("count", memory=_MEMORY),
            Phase("merge", fan=1, inputs=False, reads=("count",), memory=_MEMORY),
            Phase("adapt", fan=1, inputs=False, reads=("merge",), cpus=LEARNERS, memory=_MEMORY),
        )

    def run(self, task: Task, out: Output) -> None:
        """Do a task of any phase. What is wrong with texts or sizes is a ShardError."""
        try:
            base = opened(self.base, self.pattern)
            if task.phase.name == "count":
                self._count(base, task, out)
            elif task.phase.name == "merge":
                self._counting(base.pattern).merge(task, out)
            else:
                self._adapt(base, task, out)
        except ValueError as error:
            where = f"{task.inputs[0].name}: " if task.inputs else ""
            raise ShardError(f"{where}{error}") from error

    def _count(self, base: Base, task: Task, out: Output) -> None:
        """As the trainer does it, of texts in the base's Unicode form."""
        from tokenizer.counting import ShardCounter

        source = task.inputs[0]
        column = self.groups if self.groups != FOLDER else ""
        counters: dict[str, ShardCounter] = {}
        for batch in read_texts(source, out.progress, column):
            out.rows_in += batch.num_rows
            out.rows_out += batch.num_rows
            for group, texts in by_group(batch, folder_of(source)):
                if group not in counters:
                    check_number([*counters, group], column, source.name)
                    counters[group] = ShardCounter(base.pattern, out.scratch / f"{len(counters)}.counts")
                counters[group].add([_normalized(texts, base.normalization)])
        if not counters:
            counters[folder_of(source)] = ShardCounter(base.pattern, out.scratch / "0.counts")
        counted = {group: counters[group].finish() for group in sorted(counters)}
        self._counting(base.pattern).put_counts(counted, out)

    def _adapt(self, base: Base, task: Task, out: Output) -> None:
        from tokenizer.adapt.write import write
        from tokenizer.train import header

        path = local_copy(task.files("merge")[0], out)
        parts = list((unpack(path, out.scratch) if self.groups else {"": path}).values())
        boundaries = self._boundaries(base, parts, out)
        adapted = self._learnt(base, parts, boundaries, task, out)
        made = out.scratch / "adapted"
        write(adapted, made)
        counted = summed([header(part) for part in parts])
        report = {"name": Path(self.base).name, "input": counted, **_figures(adapted)}
        texts = _texts(task.side("check_on"), out)
        grown = self._grown(base, adapted.tokenizer, task)
        report |= prove_folder(base, adapted.tokenizer, made, texts, grown)
        for name, data in reports(report).items():
            (made / name).write_bytes(data)
        for one in sorted(made.iterdir()):
            out.put(one, one.name)

    def _boundaries(self, base: Base, parts: list[Path], out: Output) -> Any:
        from rust_ext import MorphemeBoundaries

        cuts = Train(pattern=base.pattern, boundaries=self.boundaries).cuts(parts, out)
        return MorphemeBoundaries.read(cuts, _threads()) if cuts is not None else None

    def _learnt(self, base: Base, parts: list[Path], boundaries: Any, task: Task, out: Output) -> Adapted:
        from tokenizer.adapt.free import at_most, closed, little_used
        from tokenizer.adapt.learn import Settings, base_uses, learn, swap_threshold

        def settings(add: int) -> Settings:
            return Settings(self.learning(add), boundaries, _threads(), _learning(out))

        wanted = self._wanted(base) if self.fixed_size else set()
        if self.swap:
            places = len(closed(base, wanted)) if self.fixed_size else self.add
            least = self.swap_uses or swap_threshold(base, parts, places, settings(max(places, 256)))
            wanted |= little_used(base, base_uses(base, parts, settings(256)), least)
        free = self._kept(base, closed(base, wanted), task)
        if not self.fixed_size:
            return learn(base, parts, free, len(free) + self.add, settings(len(free) + self.add))
        if not free or self.add > len(free):
            raise ValueError(
                f"{len(free)} ids can be freed, {self.add or 'some'} are wanted: give up more scripts, keep "
                "fewer texts, or leave fixed_size"
            )
        if self.add:
            free = at_most(base, free, self.add)
        add = self.add or len(free)
        return learn(base, parts, free, add, settings(add))

    def _wanted(self, base: Base) -> set[int]:
        """Ranks that are to be freed for a fixed size."""
        from tokenizer.adapt.condition import condition
        from tokenizer.adapt.scripts import given_up, named

        wanted = given_up(base, named(self.give_up))
        if self.free_unreachable:
            rank = dict(zip(base.ids, range(len(base.ids)), strict=True))
            wanted |= {rank[index] for index, kind in condition(base).dead.items() if "partial" not in kind}
        return wanted

    def _kept(self, base: Base, free: set[int], task: Task) -> set[int]:
        from tokenizer.adapt.free import protected, uses_of

        if not self.keep or not free:
            return free
        by_text: dict[str, Any] = {}
        for source in task.side("keep"):
            name = source.name.partition("/")[0]
            by_text[name] = by_text.get(name, 0) + uses_of(base, _texts((source,)))
        return protected(base, free, by_text, self.keep_growth)

    def _grown(self, base: Base, made: Base, task: Task) -> list[Proof]:
        """By how much the texts to keep grew, beside the bound."""
        from tokenizer.adapt.proofs import Proof

        counts: dict[str, list[int]] = {}
        for source in task.side("keep"):
            both = counts.setdefault(source.name.partition("/")[0], [0, 0])
            for text in _texts((source,)):
                both[0] += base.encoder.count([text])
                both[1] += made.encoder.count([text])
        found = []
        for name, (before, after) in counts.items():
            growth = after / max(before, 1) - 1
            says = f"{before:,} -> {after:,} tokens, {growth:+.1%}; the bound is {self.keep_growth:+.1%}"
            figures = {"base": before, "adapted": after}
            found.append(Proof(f"{name} keeps its length", growth <= self.keep_growth, says, figures))
        return found


def opened(location: str, pattern: str = "") -> Base:
    """The base at a location of this machine, read once. ValueError where there is none that can be
    adapted."""
    from tokenizer.adapt.load import file_of

    local = local_tokenizer(location)
    if local is None:
        raise ValueError(f"{location}: copy it to this machine")
    about = file_of(local).stat()
    return _opened(local, pattern, (about.st_mtime_ns, about.st_size))


@functools.lru_cache(maxsize=1)
def _opened(path: Path, pattern: str, _: tuple[int, int]) -> Base:
    from tokenizer.adapt.load import load

    return load(path, pattern or None)


def _normalized(texts: Any, form: str) -> Any:
    return pc.utf8_normalize(texts, form=form) if form else texts


def _texts(sources: Sequence[Input], out: Output | None = None) -> Iterator[str]:
    """The texts of sources; `out` receives the progress, as the part of a task that comes after learning."""
    total, before = sum(source.size for source in sources) or 1, 0

    def report(done: float, of: float, size: float = 0.0) -> None:
        share = (before + size * done / max(of, 1.0)) / total
        if out is not None:
            out.progress(_LEARNT + (_READ - _LEARNT) * min(share, 1.0), 1.0)

    for source in sources:
        for batch in read_texts(source, functools.partial(report, size=source.size)):
            yield from batch.column("text").drop_null().to_pylist()
        before += source.size
        report(0.0, 1.0)


def _learning(out: Output) -> Callable[[str, int, int], object]:
    """A progress callback of the learner, which is the first half of a task."""

    def report(stage: str, done: int, of: int) -> None:
        if of and stage == "learn":
            out.progress(_LEARNT * done / of, 1.0)

    return report


def _threads() -> int:
    import os

    return min(LEARNERS, os.cpu_count() or 1)


def _figures(adapted: Adapted) -> dict[str, Any]:
    made, base = adapted.tokenizer, adapted.base
    return {
        "base": {"digest": base.digest, "form": base.form, "rows": base.rows, "tokens": len(base.tokens)},
        "rows": made.rows,
        "tokens": len(made.tokens),
        "new": len(adapted.new),
        "freed": len(adapted.freed),
        "last_count": adapted.counts[-1] if adapted.counts else 0,
        "left_out_pretokens": adapted.left_out,
    }


def prove_folder(
    base: Base, made: Base, folder: Path, texts: Iterator[str], more: Sequence[Proof] = ()
) -> dict[str, Any]:
    """The proofs of a written folder, and `more`, as plain data."""
    from tokenizer.adapt.proofs import prove

    found = prove(base, made, folder, texts, _threads())
    proofs = [
        {"name": one.name, "holds": one.holds, "says": one.says, "figures": dict(one.figures)}
        for one in (*found.proofs, *more)
    ]
    dead = {
        kind: [
            {"id": index, "bytes": made.token_of[index].hex()}
            for index, one in found.adapted.dead.items()
            if one == kind
        ]
        for kind in sorted(set(found.adapted.dead.values()))
    }
    return {
        "ok": found.ok and not any(one.holds is False for one in more),
        "proofs": proofs,
        "state": {"base": found.base.summary, "adapted": found.adapted.summary},
        "dead": dead,
        "witnesses": {str(index): text for index, text in found.adapted.witnesses.items()},
    }


def reports(report: Mapping[str, Any]) -> dict[str, bytes]:
    """The report as files: JSON, and a page to read."""
    encoded = msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n"
    return {REPORT: encoded, PAGE: _page(report).encode()}


def lines(report: Mapping[str, Any]) -> list[str]:
    """The report as lines of text."""
    signs = {True: "proved  ", False: "FAILED  ", None: "not done"}
    return [f"{signs[one['holds']]} {one['name']}: {one['says']}" for one in report["proofs"]]


def _page(report: Mapping[str, Any]) -> str:
    signs = {True: "yes", False: "**no**", None: "not done"}
    rows = [f"| {one['name']} | {signs[one['holds']]} | {one['says']} |" for one in report["proofs"]]
    state = report["state"]
    kinds = [f"| {name} | {state['base'][name]:,} | {state['adapted'][name]:,} |" for name in state["base"]]
    head = f"# {report['name']}, adapted\n" if report.get("name") else "# An adapted tokenizer\n"
    about = ""
    if "new" in report:
        about = (
            f"\n{report['new']:,} tokens are new, {report['freed']:,} of the base are gone; the model needs "
            f"{report['rows']:,} rows (before: {report['base']['rows']:,}).\n"
        )
    return "\n".join(
        [
            head + about,
            "| proof | holds | |",
            "|---|---|---|",
            *rows,
            "",
            "| tokens that are | in the base | now |",
            "|---|---|---|",
            *kinds,
            "",
            f"Each of them, with a text that makes it, stands in {REPORT}.",
            "",
        ]
    )
