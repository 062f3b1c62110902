"""Stage `evaluate`: figures of the trained tokenizer, and of any others, on documents it was not trained on.

One task: the tokenizer's folder and the held-out documents in, `evaluation.json` and plots out.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec
import pyarrow as pa

from corpus import storage
from corpus.errors import UsageError, one_line
from corpus.inputs import Input
from corpus.stage import Phase, Task
from corpus.writing import Output
from pipelines.groups import FOLDER, folder_of
from pipelines.texts import read_texts, split_held_out
from pipelines.train import ABOUT, KEPT_FIRST

if TYPE_CHECKING:
    from tokenizer.baselines import Baseline
    from tokenizer.evaluate import Evaluation

RESULT: Final = "evaluation.json"
NO_PLOTS: Final = "no plots: they need matplotlib; pip install 'bukvar[plots]'"
#: Tokenizers whose tokens are kept for sample sentences: the first, and two beside it.
SHOWN: Final = 3
#: Inputs in a row that bring no group lacking text, after which no more are read.
_ENOUGH: Final = 16


def _help(text: str, default: Any) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class Evaluate:
    """Measure a tokenizer beside others."""

    name: ClassVar[str] = "evaluate"
    version: ClassVar[int] = 2
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema([])
    reasons: ClassVar[Mapping[str, str]] = {}

    tokenizer: str = field(
        default="",
        metadata={"help": "the tokenizer's folder; that of the run's stage train where empty", "input": True},
    )
    baselines: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "baselines: other tokenizers to measure on the same texts",
            "input": True,
            "tokenizer": True,
        },
    )
    lemmas: str = field(
        default="",
        metadata={
            "help": "file of lemmas cut into morphemes (lemma<TAB>morph|morph|...), for boundaries",
            "input": True,
        },
    )
    max_mb: int = _help("text read at most of each group, in MB: figures settle long before", 20)
    scalars: bool = _help("also encode and decode every Unicode scalar", True)
    consistency: bool | None = _help(
        "consistency of the forms of the texts' Russian lemmas (needs the extra `morphology`); where not "
        "given, if that is installed",
        None,
    )

    def __post_init__(self) -> None:
        if self.max_mb < 1:
            raise ValueError("evaluate.max_mb is at least 1")

    def check(self, inputs: Sequence[Input], columns: Collection[str]) -> None:  # noqa: ARG002 - any will do
        """Raise UsageError where no tokenizer is named."""
        if not self.tokenizer:
            raise UsageError("evaluate.tokenizer: name a tokenizer's folder, or add train to run.stages")

    def phases(self, inputs: Sequence[Input]) -> tuple[Phase, ...]:  # noqa: ARG002 - one task in any case
        """One task over all inputs."""
        return (Phase("score", fan=1),)

    def run(self, task: Task, out: Output) -> None:
        """Score the tokenizer and the baselines on the held-out documents, if there are any."""
        texts = held_out_texts(task.inputs, training_of(self.tokenizer), self.max_mb * 1_000_000)
        if not any(texts.values()):
            out.put_bytes(b'{"rows": [], "failed": {}}\n', RESULT)
            out.notes["figures"] = "none: no document of so few is held out; raise train.held_out"
            return
        own = out.scratch / "tokenizer"
        own.mkdir()
        for file in task.side("tokenizer"):
            (own / storage.base_name(file.path)).write_bytes(storage.read_bytes(file.path))
        result, plots = score(
            [str(own), *self.baselines],
            texts,
            self.lemmas,
            scalars=self.scalars,
            consistency=self.consistency,
        )
        out.put_bytes(result, RESULT)
        for label, message in msgspec.json.decode(result)["failed"].items():
            out.notes[f"baseline {label}"] = message
        if not plots:
            out.notes["plots"] = NO_PLOTS
        for name, plot in plots.items():
            out.put_bytes(plot.encode(), name)


def training_of(home: str) -> dict[str, Any]:
    """What the training in this folder says of itself: the share it held out, and its groups."""
    return msgspec.json.decode(storage.read_bytes(storage.join(home, ABOUT)), type=dict[str, Any])


def held_out_texts(
    documents: Iterable[Input], training: Mapping[str, Any], most: int
) -> dict[str, list[str]]:
    """Held-out texts by the groups that training had ("held out" where it had none), up to so many bytes of
    UTF-8 of each. Reading ends as soon as every group has them: where a column names the groups, when
    `_ENOUGH` inputs in a row have brought no group that still lacks text."""
    groups, share = str(training.get("groups", "")), float(training["held_out"])
    column = groups if groups != FOLDER else ""
    texts: dict[str, list[str]] = {}
    sizes: Counter[str] = Counter()
    full = 0
    first = bool(training.get(KEPT_FIRST))
    for source in documents:
        name = folder_of(source) if groups else "held out"
        if sizes[name] >= most or full == _ENOUGH:
            continue
        wanted = False
        for batch in read_texts(source, group_column=column):
            if sizes[name] >= most:
                break
            held = split_held_out(batch, share, keep_first=first)[1]
            first = first and not batch.num_rows
            names = held.column("group").to_pylist() if column else [name] * held.num_rows
            for domain, text in zip(names, held.column("text").to_pylist(), strict=True):
                if sizes[domain] < most:
                    wanted = True
                    texts.setdefault(domain, []).append(text)
                    sizes[domain] += len(text.encode())
        full = 0 if wanted or not column else full + 1
    return dict(sorted(texts.items()))


def score(
    paths: Sequence[str],
    texts: Mapping[str, Sequence[str]],
    lemmas: str = "",
    *,
    scalars: bool = False,
    consistency: bool | None = None,
) -> tuple[bytes, dict[str, str]]:
    """Figures of tokenizers, by path, as JSON (with `rows`, the table, and `samples`, sentences as the first
    three cut them, vocabularies of the package in place of missing ones), and plots by file name, as SVG; no
    plots where matplotlib is not installed.

    consistency: of the forms of the texts' lemmas; None: if pymorphy3 is installed. A tokenizer that can't be
    opened is left out and named under `failed` with the reason. Raises UsageError where none can be, for a
    file of lemmas that can't be read, and for consistency asked for without pymorphy3.
    """
    from pipelines.sentences import samples
    from tokenizer.baselines import open_baseline
    from tokenizer.evaluate import evaluate

    opened, failed = [], {}
    for path in paths:
        label = _label(path, paths)
        try:
            opened.append(open_baseline(path, label))
        except (ValueError, OSError) as error:
            failed[label] = one_line(error)
    if not opened:
        raise UsageError("; ".join(failed.values()))
    try:
        boundaries = read_lemmas(lemmas) if lemmas else None
        forms = lemma_forms(texts, wanted=consistency)
        found = evaluate(opened, texts, boundaries=boundaries, forms=forms, scalars=scalars)
    except (ValueError, OSError) as error:
        raise UsageError(one_line(error)) from error
    figures = {**msgspec.json.decode(found.to_json()), "rows": found.rows(), "failed": failed}
    figures["samples"] = samples(_shown(opened), texts)
    return msgspec.json.format(msgspec.json.encode(figures), indent=1) + b"\n", _plots(found)


def _shown(opened: Sequence[Baseline]) -> list[Baseline]:
    """The first tokenizers, and vocabularies of the package where fewer than two stand beside the first."""
    from tokenizer.baselines import open_baseline
    from tokenizer.named import NAMES, is_named

    names = {one.name for one in opened}
    more = [name for name in NAMES if name not in names and is_named(name)]
    return [*opened[:SHOWN], *(open_baseline(name) for name in more[: max(0, SHOWN - len(opened))])]


def _plots(found: Evaluation) -> dict[str, str]:
    if importlib.util.find_spec("matplotlib") is None:
        return {}
    from tokenizer.plots import draw

    return draw(found)


def lemma_forms(
    texts: Mapping[str, Sequence[str]], *, wanted: bool | None
) -> list[tuple[str, int, tuple[str, ...]]]:
    """Forms of the lemmas of all texts; none if they are not wanted, or may be left out and pymorphy3 is not
    installed (wanted None). Raises UsageError if they are wanted and it is not."""
    from tokenizer.evaluate import word_counts
    from tokenizer.inflection import inflected_forms

    if wanted is False:
        return []
    try:
        return inflected_forms(word_counts(text for documents in texts.values() for text in documents))
    except ModuleNotFoundError as error:
        if wanted is None:
            return []
        raise UsageError(
            "consistency of forms needs pymorphy3: pip install 'bukvar[morphology]', or --no-consistency"
        ) from error


def _label(path: str, paths: Sequence[str]) -> str:
    """The last part of a tokenizer's path that tells it from the others."""
    parts = [p for p in path.split("/") if p]
    for count in range(1, len(parts) + 1):
        label = "/".join(parts[-count:])
        if sum(other.rstrip("/").endswith(label) for other in paths) == 1:
            return label
    return path


def read_lemmas(location: str) -> dict[str, list[int]]:
    """Lemma -> character offsets of its boundaries, from lines `lemma<TAB>morph|morph|...`; morphs may be
    typed (`morph:ROOT`) and divided by / instead; lines that begin with # are passed over, and of a lemma
    the first line counts."""
    found: dict[str, list[int]] = {}
    for number, line in enumerate(storage.read_bytes(location).decode().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        lemma, tab, cut = line.partition("\t")
        morphs = [part.partition(":")[0] for part in cut.split("\t")[0].replace("/", "|").split("|")]
        if not tab or "".join(morphs) != lemma:
            raise UsageError(f"{location}: line {number} is not lemma<TAB>morph|morph|...")
        found.setdefault(lemma, [sum(map(len, morphs[: place + 1])) for place in range(len(morphs) - 1)])
    return found
