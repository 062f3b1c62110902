"""Adapted tokenizers beside their bases, RuAdapt and naive extension: tokens a Russian word, in one run.

    BUKVAR_DATA=DATA python -m tests.bench.bench_adapt --work .bench/adapt [--bases NAME,...] [--social FILE]

Learns from text_ru without the documents that `vocabulary_texts.py` holds out, from the codes of laws and
from LibreOffice's and other manuals (their main text, as `corpus.extract.content` finds it), each source
weighted as `WEIGHTS` says, and from --russian (Parquet: id, text). Measures all tokens over Cyrillic words
on held-out documents: news, fiction, drama, dialogue, manuals and law of the same sources; web news, NTREX,
wiki, and DATA/quality's abstracts of papers (science) and pages of javascript.info and man (tech), of which
nothing is learnt; and posts and comments (social), the sentences of UD_Russian-Taiga's dev and test files
that --social names. Bases are those of DATA/baselines. Counts and texts stay in --work for the next run.
Naive extension: a Russian BPE learnt alone, whose missing tokens are appended with their own merges.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from rust_ext import MorphemeBoundaries
from tests.bench import vocabulary_texts as texts
from tokenizer import files
from tokenizer.adapt.base import Base, holds_cyrillic, normalized
from tokenizer.adapt.condition import condition
from tokenizer.adapt.free import closed, little_used
from tokenizer.adapt.learn import Adapted, Settings, base_uses, learn, swap_threshold
from tokenizer.adapt.load import load
from tokenizer.adapt.ready import adapted_with
from tokenizer.adapt.scripts import given_up, named
from tokenizer.counting import ShardCounter
from tokenizer.morphemes import segment_counts
from tokenizer.train import TrainParameters, merge_counts
from tokenizer.train import learn as learn_alone
from tokenizer.vocabulary import NO_MERGE

#: How often a source counts: small sources of kinds that readers meet often count more.
WEIGHTS: Final = {
    "news": 10,
    "ruslit": 6,
    "phpdoc_ru": 10,
    "rusdracor": 4,
    "koziev": 3,
    "laws": 4,
    "manuals": 6,
    "encyclopedia": 20,
    "press": 10,
    "medicine": 2,
    "law": 2,
    "docs": 2,
}
SCRIPTS: Final = (
    "CJK", "Hangul", "Arabic", "Thai", "Hebrew", "Indic", "Lao", "Khmer", "Myanmar", "Georgian", "Armenian",
    "Ethiopic", "Tibetan",
)  # fmt: skip
BASES: Final = "llama3,mistral_tekken_240911,qwen2_5_3,deepseek_v3,openai_o200k_base"
WAYS: Final = "extend,plain,swap,fixed,naive,ruadapt"
#: Tokens of the package, which DeepSeek and o200k have none of (`--ways ready` with the other bases).
READY: Final = "ru-32k"
RUADAPT: Final = "ru_ruadapt_qwen2_5_u48"
_WORD: Final = re.compile(r"[\u0400-\u04ff]+(?:-[\u0400-\u04ff]+)*")
DOMAINS: Final = (
    "news", "science", "tech", "social", "wiki",
    "web news", "NTREX", "fiction", "drama", "dialogue", "manuals", "law",
)  # fmt: skip
#: Domain -> sources of DATA/quality.
UNSEEN: Final = {
    "science": ("ruserrc_itmag", "ruserrc_ius", "ruserrc_cloudofscience"),
    "tech": ("javascript_info", "javascript_info_tasks", "manpages"),
}


def pages(folder: str, work: Path) -> texts.Documents:
    """The main texts of the pages of a folder of DATA, extracted once."""
    out = work / folder
    if not (out / "_plan.json").exists():
        crawl = texts.data() / folder / "pages.warc.gz"
        command = ["-m", "pipelines.cli", "extract", str(crawl), "--out", str(out), "--executor", "inline"]
        subprocess.run([sys.executable, *command, "--quiet"], check=True)
    for path in sorted(out.glob("*.parquet")):
        table = pq.read_table(path, columns=["url", "text"])
        for url, text in zip(table["url"].to_pylist(), table["text"].to_pylist(), strict=True):
            if re.search("[а-яё]", text):
                # Codes are long: their parts are documents, so that some of each may be held out.
                for number in range(0, len(text), 20_000):
                    yield f"{url}#{number}", text[number : number + 20_000]


def sources(work: Path, russian: list[Path]) -> dict[str, Callable[[], texts.Documents]]:
    """Source -> its documents, those held out still among them."""
    found: dict[str, Callable[[], texts.Documents]] = {
        name: partial(texts.text_ru, name) for name in texts.RUSSIAN
    }
    found |= {folder: partial(pages, folder, work) for folder in ("laws", "manuals")}
    return found | {path.stem: partial(texts.parquet, path) for path in russian}


def unseen_quality() -> dict[str, list[str]]:
    """Domain -> documents of DATA/quality."""
    table = pq.read_table(texts.data() / "quality" / "dev.parquet", columns=["source", "text"])
    rows = table.to_pylist()
    return {
        domain: texts.up_to(row["text"] for row in rows if row["source"] in sources)
        for domain, sources in UNSEEN.items()
    }


def posts(paths: list[Path]) -> list[str]:
    """Sentences of posts and comments in CoNLL-U files of UD_Russian-Taiga: their ids are numbers, or say
    instagram."""
    found = []
    for path in paths:
        for block in path.read_text(encoding="utf-8").split("\n\n"):
            said = re.search(r"(?m)^# sent_id = (?:\d|instagram)", block)
            text = re.search(r"(?m)^# text = (.*)$", block)
            if said and text:
                found.append(text[1])
    return found


def held_out(work: Path, social: list[Path]) -> dict[str, list[str]]:
    """Domain -> lines of held-out documents."""
    documents = texts.russian_domains(0, texts.TEST)
    documents |= {name: docs for name, docs in texts.unseen_domains().items() if name != "wikinews"}
    documents["manuals"] += texts.up_to(texts.part(pages("manuals", work), 0, texts.TEST))
    documents["law"] = texts.up_to(texts.part(pages("laws", work), 0, texts.TEST))
    documents |= unseen_quality() | {"social": posts(social)}
    lines = {name: [line for doc in docs for line in doc.splitlines()] for name, docs in documents.items()}
    cyrillic = {name: [line for line in lines[name] if _WORD.search(line)] for name in DOMAINS}
    return {name: some for name, some in cyrillic.items() if some}


def counts(base: Base, work: Path, russian: list[Path]) -> Path:
    """The weighted counts of all sources by the base's pattern."""
    form = base.normalization
    short = re.sub(r"\W", "", base.pattern)[:20]
    more = "".join(f"-{path.stem}" for path in russian)
    merged = work / f"{short}-{form or 'as-is'}{more}.counts"
    if merged.exists():
        return merged
    made, weights = [], []
    for name, documents in sources(work, russian).items():
        path = work / f"{short}-{form}-{name}.counts"
        counter = ShardCounter(base.pattern, path)
        for text in texts.part(documents(), texts.DEVELOPMENT, 256):
            counter.add(normalized([text], form))
        made.append(counter.finish())
        weights.append(float(WEIGHTS.get(name, 6)))
    merge_counts(made, merged, weights=weights)
    for path in made:
        path.unlink()
    return merged


def per_word(tokenizer: Base, domains: dict[str, list[str]]) -> dict[str, float]:
    """Tokens a Cyrillic word, by domain."""
    return {
        name: tokenizer.encoder.count(lines) / sum(len(_WORD.findall(line)) for line in lines)
        for name, lines in domains.items()
    }


def settings(add: int, *, plain: bool, work: Path, path: Path) -> Settings:
    """Learning as the stage does it, or without the penalty."""
    parameters = TrainParameters(256 + max(add, 256), **({"penalty": 0.0} if plain else {}))
    if plain:
        return Settings(parameters)
    cuts = work / f"{path.stem}.tsv"
    if not cuts.exists():
        segment_counts(path, cuts)
    return Settings(parameters, MorphemeBoundaries.read(cuts))


def naive(base: Base, path: Path, add: int) -> dict[str, Any]:
    """A Russian BPE learnt alone, what the base lacks of it appended: as merges of its own (what is learnt by
    merging two vocabularies), and as ranks."""
    parameters = TrainParameters(2 * add + 256, pattern=base.pattern, penalty=0)
    alone = learn_alone(path, parameters)
    tokens = alone.tokens
    new = [place for place in range(256, len(tokens)) if tokens[place] not in base.rank_of][:add]
    ranks = replace(
        base,
        tokens=(*base.tokens, *(tokens[place] for place in new)),
        ids=(*base.ids, *range(base.rows, base.rows + len(new))),
        rows=base.rows + len(new),
        form="tiktoken",
    )
    unreached = sum(ranks.merges[-place - 1] == NO_MERGE for place in range(len(new)))
    return {"tokenizer": ranks, "new": len(new), "unreached as ranks": unreached} | _by_own_merges(
        base, alone.merges, tokens, new
    )


def _by_own_merges(
    base: Base, merges: tuple[tuple[int, int], ...], tokens: tuple[bytes, ...], new: list[int]
) -> dict[str, Any]:
    """How many of the new tokens are not made of their own bytes where each has the one merge by which the
    other vocabulary makes it, by the tokenizers library."""
    import tokenizers

    vocab = {files.to_chars(token): rank for rank, token in enumerate(base.tokens)}
    pairs = [(base.tokens[a], base.tokens[b]) for a, b in base.merges if (a, b) != NO_MERGE]
    for place in new:
        left, right = (tokens[part] for part in merges[place - 256])
        known = all(files.to_chars(part) in vocab for part in (left, right))
        vocab[files.to_chars(tokens[place])] = len(vocab)
        if known:
            pairs.append((left, right))
    spelled = [(files.to_chars(left), files.to_chars(right)) for left, right in pairs]
    model = tokenizers.models.BPE(vocab=vocab, merges=spelled)
    wrong = sum(len(model.tokenize(files.to_chars(tokens[place]))) != 1 for place in new)
    return {"unreached as merges": wrong}


class Bench:
    """What one base gives, a line a way."""

    def __init__(self, name: str, work: Path, russian: list[Path], domains: dict[str, list[str]]) -> None:
        self.name, self.work, self.russian, self.domains = name, work, russian, domains
        self.base = load(texts.baselines() / name)
        self.rows: dict[str, Any] = {}

    @cached_property
    def counts(self) -> Path:
        return counts(self.base, self.work, self.russian)

    def ways(self, ways: list[str], sizes: list[int]) -> None:
        """All of `WAYS` that are asked for, extending to each of `sizes`."""
        if "extend" in ways:
            least = [self.extend(size) for size in sizes][-1].counts[-1]
            if "swap" in ways:
                self.swap(32_000, least)
            if "fixed" in ways:
                self.replace(swap=least)
        if "plain" in ways:
            self.extend(32_000, plain=True)
        if "fixed" in ways:
            self.replace()
            self.keep_scripts()
        if "ready" in ways:
            self.show(f"ready {READY}", adapted_with(self.base, READY).tokenizer)
        if "naive" in ways and self.name in ("llama3", "qwen2_5_3"):
            made = naive(self.base, self.counts, 32_000)
            self.show("naive +32,000, as ranks", made.pop("tokenizer"), **made)
        if "ruadapt" in ways and self.name == "qwen2_5_3":
            ruadapt = load(texts.baselines() / RUADAPT)
            cyrillic = sum(map(holds_cyrillic, ruadapt.tokens))
            self.show("RuAdapt", ruadapt, cyrillic=cyrillic)
            self.extend(cyrillic - sum(map(holds_cyrillic, self.base.tokens)))

    def show(self, way: str, tokenizer: Base, **more: Any) -> None:
        """Print and keep a row."""
        figures = per_word(tokenizer, self.domains)
        self.rows[way] = {"tokens a word": figures, **more}
        shown = "  ".join(f"{figure:.3f}" for figure in figures.values())
        about = ", ".join(f"{key} {value}" for key, value in more.items())
        print(f"{self.name[:14]:14} {way:26} {shown}  {about}", flush=True)

    def learnt(self, add: int, free: set[int] = frozenset(), *, plain: bool = False) -> tuple[Adapted, float]:  # type: ignore[assignment]
        """An adapted tokenizer, and the seconds of learning."""
        how = settings(add, plain=plain, work=self.work, path=self.counts)
        start = time.perf_counter()
        adapted = learn(self.base, [self.counts], set(free), add, how)
        return adapted, round(time.perf_counter() - start, 2)

    def extend(self, add: int, *, plain: bool = False) -> Adapted:
        """Continued BPE."""
        adapted, seconds = self.learnt(add, plain=plain)
        unreached = sum(
            adapted.tokenizer.merges[adapted.tokenizer.rank_of[token] - 256] == NO_MERGE
            for token in adapted.new
        )
        way = f"+{add:,}" + (", no penalty" if plain else "")
        self.show(way, adapted.tokenizer, unreached=unreached, seconds=seconds)
        return adapted

    def swap(self, add: int, least: int) -> None:
        """The little-used Cyrillic tokens first."""
        uses = base_uses(self.base, [self.counts], Settings(TrainParameters(penalty=0)))
        free = closed(self.base, little_used(self.base, uses, least))
        adapted, seconds = self.learnt(add + len(free), free)
        self.show(f"+{add:,}, swap", adapted.tokenizer, swapped=len(free), seconds=seconds)

    def replace(self, *, swap: int = 0) -> None:
        """At fixed size, scripts given up."""
        self.fill(self.unreachable() | given_up(self.base, named(SCRIPTS)), swap, "fixed size")

    def keep_scripts(self) -> None:
        """At fixed size, every script kept, the threshold as the stage finds it."""
        dead = self.unreachable()
        places = len(closed(self.base, dead))
        how = settings(max(places, 256), plain=False, work=self.work, path=self.counts)
        self.fill(
            dead, swap_threshold(self.base, [self.counts], places, how), "fixed size, no script given up"
        )

    def unreachable(self) -> set[int]:
        """Ranks of whole tokens that no text can make."""
        rank = dict(zip(self.base.ids, range(len(self.base.ids)), strict=True))
        dead = condition(self.base).dead
        return {rank[index] for index, kind in dead.items() if "partial" not in kind}

    def fill(self, wanted: set[int], swap: int, way: str) -> None:
        """Learn tokens for what is freed of `wanted` and, with `swap`, of Cyrillic tokens used less often."""
        if swap:
            uses = base_uses(self.base, [self.counts], Settings(TrainParameters(penalty=0)))
            wanted |= little_used(self.base, uses, swap)
        free = closed(self.base, wanted)
        adapted, seconds = self.learnt(len(free), free)
        self.show(way + (", swap" if swap else ""), adapted.tokenizer, freed=len(free), seconds=seconds)


def main() -> int:
    if not os.environ.get("BUKVAR_DATA"):
        print("set BUKVAR_DATA to the folder that holds text_ru and baselines", file=sys.stderr)
        return 2
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--bases", default=BASES)
    parser.add_argument("--russian", type=Path, action="append", default=[])
    parser.add_argument("--social", type=Path, action="append", default=[])
    parser.add_argument("--sizes", default="8000,16000,32000,64000")
    parser.add_argument("--ways", default=WAYS, help="which of them")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    domains = held_out(args.work, args.social)
    print(" " * 41, "  ".join(domains))
    figures: dict[str, Any] = {}
    for name in args.bases.split(","):
        bench = Bench(name, args.work, args.russian, domains)
        bench.show("base", bench.base)
        bench.ways(args.ways.split(","), [int(size) for size in args.sizes.split(",")])
        figures[name] = bench.rows
    if args.out:
        args.out.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
