"""Fit the model of quality: `python -m corpus.quality.fit DOCUMENTS... --out FOLDER`.

DOCUMENTS are Parquet files with `text`, `good` (bool), `kind` (a genre, or a kind of junk), `source` and
`use`: "fit" where a model that is given away may be fitted to the row, anything else where it may only be
measured. Junk is also made from the good texts (corpus.quality.junk). Written are `quality.model`, and
`ru-web.rules`, whose thresholds are chosen on documents that the model was not fitted to: those of other
uses, and each source's by a model that did not see it. The same documents give the same files.

With `--texts` the table of neighbours (`neighbours.bin`) is fitted first, to the `text` of Parquet files.
LightGBM comes with the extra `fit`.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from corpus import trees
from corpus.quality import choose, junk, model
from corpus.quality.neighbours import fit_neighbours
from corpus.quality.pieces import informal, sentences
from corpus.quality.pieces import piece as cut_piece
from corpus.quality.registers import is_glued_verse
from corpus.quality.signals import SIGNALS, measure, russian_stop_words

#: Signals that tell kinds of text, not quality: the margin is fitted without them, registers with them.
STYLE: Final = frozenset(
    {"chars", "tokens", "words", "lines", "mean_word_length", "stop_words", "newline_ratio", "dash_ratio"}
    | {f"{role}_ratio" for role in ("past", "infinitive", "imperative", "adjective", "abstract")}
    | {f"{person}_person_ratio" for person in ("first", "second", "third")}
    | {f"{shape}_ratio" for shape in ("verse", "play", "dialogue", "code_line")}
    | {name for name in SIGNALS.names if name.startswith("c4_") and name != "c4_terminal_line_ratio"}
    | {name for name in SIGNALS.names if name.startswith(("topic_", "excess_"))}
    | {"spam_topic", "spam_excess", "spam_kinds", "inner_start_ratio"}
) - {"topic_shop", "topic_navigation", "topic_service"}
#: Signals of quality alone, which registers are fitted without: they tell a source's care, not its kind.
QUALITY: Final = frozenset({"unknown_word_ratio", "headline_ratio", "service_kinds", "spam_kinds"})
#: Sources whose documents are a few sentences each, and kinds whose lines say more than their sentences.
SHORT: Final = frozenset({"gsd", "pud_news", "pud_wiki"})
LINED: Final = frozenset({"poems", "plays", "dialogue", "social"})
#: Kinds of which pieces are also written as in a chat, where people speak of everything.
SPOKEN: Final = frozenset(
    {"dialogue", "plays", "fiction", "social", "comments", "qa", "manual", "news", "science"}
    | {"encyclopedia", "essay"}
)
#: Registers of kinds of documents that may be fitted to.
REGISTERS: Final = {
    "news": "news",
    "short_news": "news",
    "fiction": "fiction",
    "essay": "essay",
    "poems": "verse",
    "plays": "play",
    "dialogue": "dialogue",
    "social": "social",
    "comments": "social",
    "tweets": "social",
    "law": "law",
    "official": "law",
    "encyclopedia": "encyclopedia",
    "manual": "manual",
    "recipes": "recipe",
    "science": "science",
    "qa": "question",
    "reviews": "review",
    "list_names": "list",
    "price_list": "shop",
}

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Parameters:
    """Of the fit; all in the model's header."""

    rounds: int = 500
    leaves: int = 32
    rate: float = 0.06
    register_rounds: int = 25
    register_leaves: int = 8
    folds: int = 4
    pieces: int = 700
    chats: int = 900
    made: int = 40
    seed: int = 1


@dataclass(frozen=True)
class Documents:
    """Texts with what is known of them; one that was made has the source of the text it was made from."""

    texts: list[str]
    good: Bools
    kind: npt.NDArray[np.str_]
    source: npt.NDArray[np.str_]
    fit: Bools
    made: Bools

    def where(self, mask: Bools) -> list[int]:
        """Indexes at which a mask is true."""
        return [int(at) for at in np.flatnonzero(mask)]


def read_documents(paths: Iterable[Path]) -> Documents:
    """The documents of Parquet files."""
    columns = ["text", "good", "kind", "source", "use"]
    schema = pa.schema([(name, pa.bool_() if name == "good" else pa.large_string()) for name in columns])
    table = pa.concat_tables([pq.read_table(path, columns=columns).cast(schema) for path in paths])
    data = {name: table.column(name).to_pylist() for name in columns}
    return Documents(
        data["text"],
        np.array(data["good"], np.bool_),
        np.array(data["kind"], np.str_),
        np.array(data["source"], np.str_),
        np.array([use == "fit" for use in data["use"]], np.bool_),
        np.zeros(table.num_rows, np.bool_),
    )


def with_made(documents: Documents, parameters: Parameters) -> Documents:
    """The documents, short pieces of the good ones that may be fitted to, and junk made from both."""
    rng = random.Random(parameters.seed)  # noqa: S311 - draws, no secrets
    good = documents.where(documents.good & documents.fit)
    rows = [(documents.texts[at], True, documents.kind[at], documents.source[at]) for at in good]
    pieces = []
    for text, _, kind, source in rng.sample(rows, min(len(rows), parameters.pieces)):
        if piece := cut_piece(text, rng):
            pieces.append((piece, True, kind, source))
    spoken = [row for row in rows if row[2] in SPOKEN]
    for text, _, _, source in rng.sample(spoken, min(len(spoken), parameters.chats)):
        if len(chat := informal(cut_piece(text, rng) or text[:900], rng)) > 100:
            pieces.append((chat, True, "chat", source))
    spoilt = _spoilt(rows + pieces, parameters, rng)
    made = pieces + spoilt
    return Documents(
        documents.texts + [row[0] for row in made],
        np.concatenate([documents.good, np.array([row[1] for row in made], np.bool_)]),
        np.concatenate([documents.kind, np.array([row[2] for row in made], np.str_)]),
        np.concatenate([documents.source, np.array([row[3] for row in made], np.str_)]),
        np.concatenate([documents.fit, np.ones(len(made), np.bool_)]),
        np.concatenate([documents.made, np.ones(len(made), np.bool_)]),
    )


def _spoilt(
    rows: Sequence[tuple[str, bool, str, str]], parameters: Parameters, rng: random.Random
) -> list[tuple[str, bool, str, str]]:
    kinds = sorted({row[2] for row in rows})
    of_kind = {kind: [row for row in rows if row[2] == kind] for kind in kinds}
    pools = {kind: junk.Pool.of([row[0] for row in of_kind[kind]]) for kind in kinds}
    every = junk.Pool.of([row[0][:4000] for row in rows])
    made = []
    for name, make in junk.MAKERS.items():
        for kind in kinds:
            count = min(parameters.made, len(of_kind[kind]))
            for text, _, _, source in rng.sample(of_kind[kind], count):
                spoilt = make(text[:9000], every if name == "word_salad" else pools[kind], rng)
                if len(spoilt) > 100:
                    made.append((spoilt, False, name, source))
    return made


def with_sentences(documents: Documents, parameters: Parameters) -> Documents:
    """The documents that registers are fitted to, and of each that is prose a few sentences.

    Some registers have sources of single sentences alone: trees would take any short text for theirs.
    """
    rng = random.Random(parameters.seed)  # noqa: S311 - draws, no secrets
    own = documents.fit & ~np.isin(documents.source, sorted(choose.ODD))
    prose = own & documents.good & ~documents.made & ~np.isin(documents.source, sorted(SHORT))
    at, lined = documents.where(own), np.isin(documents.kind, sorted(LINED))
    drawn = ((row, sentences(documents.texts[row], rng)) for row in documents.where(prose & ~lined))
    cut = [(row, text) for row, text in drawn if text]
    rows = np.array([*at, *(row for row, _ in cut)], np.int64)
    texts = [*(documents.texts[row] for row in at), *(text for _, text in cut)]
    made = np.arange(len(rows)) >= len(at)
    return Documents(
        texts,
        documents.good[rows],
        documents.kind[rows],
        documents.source[rows],
        documents.fit[rows],
        documents.made[rows] | made,
    )


def rows_of(texts: Sequence[str]) -> model.Rows:
    """The signals of texts as rows of the model."""
    columns = measure(pa.array(texts, pa.large_string()), russian_stop_words())
    return choose.rows(columns)


def fold_of(source: str, folds: int) -> int:
    """The fold of a source, by the stem of its name alone, so that parts of a source stay together."""
    stem = source.removeprefix("text_ru_").split("_")[0]
    return int.from_bytes(hashlib.sha256(stem.encode()).digest()[:4]) % folds


def _weights(documents: Documents, mask: Bools) -> Floats:
    """Genres count alike, kinds of junk count alike, good and junk count alike."""
    result = np.zeros(len(mask))
    for good in (True, False):
        chosen = mask & (documents.good == good)
        names = [
            f"{kind}|{made and not good}" for kind, made in zip(documents.kind, documents.made, strict=True)
        ]
        counts = Counter(np.array(names)[chosen])
        for at in np.flatnonzero(chosen):
            result[at] = 1 / counts[names[at]] / len(counts)
    weights: Floats = result * mask.sum() / 2
    return weights


def _settings(parameters: Parameters) -> dict[str, Any]:
    return {
        "learning_rate": parameters.rate,
        "feature_fraction": 0.2,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "path_smooth": 2.0,
        "min_data_in_leaf": 40,
        "max_bin": 127,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": parameters.seed,
        "verbosity": -1,
    }


def _dataset(
    rows: model.Rows,
    left: Collection[str],
    labels: npt.NDArray[Any],
    weight: Floats,
    settings: dict[str, Any],
) -> Any:
    """Rows as LightGBM takes them; signals of `left` are constant there, so that no tree splits on them."""
    import lightgbm

    shown = rows.copy()
    shown[:, [at for at, name in enumerate(SIGNALS.names) if name in left]] = 0
    names = [f"f{at}" for at in range(rows.shape[1])]
    return lightgbm.Dataset(shown, labels, weight=weight, feature_name=names, params=settings)


def fit_junk(documents: Documents, rows: model.Rows, mask: Bools, parameters: Parameters) -> dict[str, Any]:
    """The trees of the margin of junk, as LightGBM dumps them, fitted to the documents of `mask`."""
    import lightgbm

    settings = _settings(parameters) | {"objective": "binary", "num_leaves": parameters.leaves}
    labels = (~documents.good[mask]).astype(np.int32)
    data = _dataset(rows[mask], STYLE, labels, _weights(documents, mask)[mask], settings)
    dump: dict[str, Any] = lightgbm.train(settings, data, num_boost_round=parameters.rounds).dump_model()
    return dump


def fit_registers(
    documents: Documents, rows: model.Rows, mask: Bools, parameters: Parameters
) -> dict[str, trees.Ensemble]:
    """One ensemble a register, fitted to the documents of `mask` whose register is known."""
    import lightgbm

    registers = np.array([REGISTERS.get(str(kind), "") for kind in documents.kind])
    natural = documents.good | np.isin(registers, ("list", "shop"))
    # Verse in collected works of fiction, its line ends lost, teaches neither.
    glued = is_glued_verse(rows) & (registers != "verse")
    chosen = mask & natural & (registers != "") & ~glued
    names = sorted(set(registers[chosen]))
    counts = Counter(registers[chosen])
    weight = np.array([1 / counts[register] ** 0.7 for register in registers[chosen]])
    settings = _settings(parameters) | {
        "objective": "multiclass",
        "num_class": len(names),
        "num_leaves": parameters.register_leaves,
        "min_data_in_leaf": 15,
    }
    labels = np.searchsorted(names, registers[chosen])
    weight *= len(weight) / weight.sum()
    data = _dataset(rows[chosen], QUALITY, labels, weight, settings)
    dump = lightgbm.train(settings, data, num_boost_round=parameters.register_rounds).dump_model()
    return {
        f"register.{name}": trees.from_lightgbm(dump, every=len(names), offset=at)
        for at, name in enumerate(names)
    }


def out_of_fold(documents: Documents, rows: model.Rows, parameters: Parameters) -> Floats:
    """The margin of each document by a model that was not fitted to its source."""
    may_fit = documents.fit & ~np.isin(documents.kind, sorted(choose.FLUENT))
    folds = np.array([fold_of(str(source), parameters.folds) for source in documents.source])
    # Generated junk has one source a kind: its documents are dealt out one by one.
    one_source = ~documents.good & ~documents.made
    folds[one_source] = np.arange(len(folds))[one_source] % parameters.folds
    margins = np.zeros(len(folds))
    for fold in range(parameters.folds):
        seen = may_fit & (folds != fold)
        margin = _margin(fit_junk(documents, rows, seen, parameters))
        held = may_fit & (folds == fold)
        margins[held] = margin(rows[held])
    margins[~may_fit] = _margin(fit_junk(documents, rows, may_fit, parameters))(rows[~may_fit])
    return margins


def _margin(dump: dict[str, Any]) -> Any:
    data = model.to_bytes(_file(dump, {}, {}), SIGNALS.names)
    return model.read(data, SIGNALS.names).margins


def _file(
    dump: dict[str, Any], registers: dict[str, trees.Ensemble], header: dict[str, Any]
) -> trees.TreeFile:
    ensembles = {"junk": trees.from_lightgbm(dump), "junk.cover": trees.covers(dump), **registers}
    return trees.TreeFile(header, ensembles)


def _header(documents: Documents, parameters: Parameters) -> dict[str, Any]:
    digest = hashlib.sha256()
    for text in documents.texts:
        digest.update(hashlib.sha256(text.encode()).digest())
    found = ~documents.made & documents.fit
    sources = Counter(zip(documents.source[found], documents.kind[found], strict=True))
    return {
        "what": "quality model of bukvar: boosted trees over signals of documents",
        "documents": [
            {"source": str(s), "kind": str(k), "count": n} for (s, k), n in sorted(sources.items())
        ],
        "documents_sha256": digest.hexdigest(),
        "parameters": asdict(parameters),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m corpus.quality.fit", description=__doc__.split("\n")[0])
    parser.add_argument(
        "documents", nargs="+", type=Path, help="Parquet files: text, good, kind, source, use"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for quality.model and ru-web.rules")
    parser.add_argument(
        "--texts", nargs="*", type=Path, default=[], help="Parquet files for the table of neighbours"
    )
    parser.add_argument(
        "--most-chars", type=int, default=30_000_000, help="characters of each file of --texts"
    )
    parser.add_argument(
        "--drop", type=float, default=choose.DROP, help="share of plain junk that thresholds drop"
    )
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.texts:
        (options.out / "neighbours.bin").write_bytes(fit_neighbours(options.texts, options.most_chars))
    parameters = Parameters()
    documents = with_made(read_documents(options.documents), parameters)
    rows = rows_of(documents.texts)
    margins = out_of_fold(documents, rows, parameters)
    may_fit = documents.fit & ~np.isin(documents.kind, sorted(choose.FLUENT))
    dump = fit_junk(documents, rows, may_fit, parameters)
    taught = with_sentences(documents, parameters)
    registers = fit_registers(taught, rows_of(taught.texts), taught.fit, parameters)
    data = model.to_bytes(_file(dump, registers, _header(documents, parameters)), SIGNALS.names)
    (options.out / "quality.model").write_bytes(data)
    found = ~documents.made
    judged = choose.Judged(
        rows[found], margins[found], documents.good[found], documents.kind[found], documents.source[found]
    )
    preset = choose.preset(judged, options.drop)
    (options.out / "ru-web.rules").write_text(choose.written(preset), encoding="utf-8")
    print(choose.report(judged, preset))
    print(
        f"{options.out}: a model of {len(data):,} bytes and a preset of {len(preset)} rules", file=sys.stderr
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
