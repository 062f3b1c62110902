"""Our vocabularies beside production tokenizers, by domain, on documents that ours were not trained on.

    BUKVAR_DATA=... python -m tests.bench.bench_vocabularies --work DIR --out DIR \\
        [--russian FILE --english FILE --code FILE]

Trains plain and morphological vocabularies of 32,000, 64,000 and 128,000 tokens of Russian, and two of
128,000 of Russian, English and code (by shares, and by parity), and measures them beside all of baselines/.
`vocabulary_texts.py` says which documents are held out. --russian (`russian_texts.py` makes such files),
--english and --code (each may be repeated) are Parquet files (id, text) of more text to train on, of which a
share is held out as well; a file's name tells its share below. --work keeps counts and vocabularies for the
next run; --out receives evaluation.json, russian.md, added.md (--russian), mixed.md and the plots.
--development measures on the development documents, for choosing; --only NAME,... trains these alone;
--shares ru=.25,en=.65,code=.1 adds a vocabulary of 128,000 tokens with these shares.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import vocabulary_texts as texts
from tests.bench.bench_morphemes import dictionary
from tokenizer import plots
from tokenizer.baselines import Baseline, from_vocabulary, open_baseline
from tokenizer.evaluate import Evaluation, Figures, evaluate, word_counts
from tokenizer.inflection import inflected_forms
from tokenizer.morphemes import segment_counts
from tokenizer.train import TrainParameters, count_shard, header, learn, merge_counts
from tokenizer.vocabulary import Vocabulary

#: Pretokens seen once are left out: half of the types, and no merge hangs on them.
LEAST = 2


@dataclass(frozen=True)
class Recipe:
    """A vocabulary to train. shares: of the text, by language; empty: Russian alone. With parity the
    languages are groups, and shares do not matter."""

    size: int
    penalty: bool = True
    shares: tuple[tuple[str, float], ...] = ()
    parity: bool = False


#: Of the bytes of Russian, by source; of what is not there the rest has the more. encyclopedia to docs are
#: the files of `russian_texts.py`, small and worth more than their bytes. Chosen on development documents and
#: wikinews.
RUSSIAN_SHARES = {
    "news": 0.29,
    "ruslit": 0.26,
    "koziev": 0.08,
    "phpdoc_ru": 0.04,
    "rusdracor": 0.04,
    "encyclopedia": 0.12,
    "press": 0.1,
    "medicine": 0.025,
    "law": 0.025,
    "docs": 0.02,
}
#: The same for the vocabulary that Russian shares with English and code, and English there, by the names of
#: the files that docs/measured/tokenizer.md describes. Files of other names count `OTHERWISE`, and so do all
#: of code: by bytes, books would be five sixths of English. Chosen as above.
MIXED_SHARES = {
    "ru": {
        "news": 0.22,
        "ruslit": 0.11,
        "koziev": 0.035,
        "phpdoc_ru": 0.03,
        "rusdracor": 0.025,
        "encyclopedia": 0.18,
        "press": 0.16,
        "law": 0.09,
        "medicine": 0.08,
        "docs": 0.07,
    },
    "en": {"wcxb": 0.35, "mixed": 0.3, "books": 0.3, "tech": 0.05},
}
OTHERWISE = 0.25
#: Chosen on development documents: the most Russian with which English stays within 2 % of o200k, and code at
#: least level with it.
MIXED = (("ru", 0.38), ("en", 0.59), ("code", 0.03))
RECIPES = {
    **{f"ru {size}k plain": Recipe(size * 1000, penalty=False) for size in (32, 64, 128)},
    **{f"ru {size}k": Recipe(size * 1000) for size in (32, 64, 128)},
    "ru-en-code 128k": Recipe(128_000, shares=MIXED),
    "ru-en-code 128k parity": Recipe(128_000, shares=MIXED, parity=True),
}


class Bench:
    """Counts and vocabularies in a folder: what is there is not made again."""

    def __init__(self, work: Path, russian: list[Path], english: list[Path], code: list[Path]) -> None:
        self.work = work
        self.work.mkdir(parents=True, exist_ok=True)
        self.sources = texts.training(english, code, russian)

    def counts(self, language: str) -> dict[str, Path]:
        """A counts file a source of the language."""
        made = {}
        for source, documents in self.sources[language].items():
            path = self.work / f"{language}-{source}.counts"
            if not path.exists():
                print("counting", path.stem, flush=True)
                count_shard(texts.part(documents, texts.first_trained(source), 256), "llama3", path)
            made[source] = path
        return made

    def merged(self, name: str, shares: Mapping[str, float]) -> Path:
        """The languages' counts, each source's times what brings it to its share of the bytes. No file counts
        less than once: counts would be rounded away."""
        path = self.work / f"{name}.counts"
        if path.exists():
            return path
        factors: dict[Path, float] = {}
        for language, share in shares.items():
            parts = self.counts(language)
            inside = (
                RUSSIAN_SHARES if len(shares) == 1 and language == "ru" else MIXED_SHARES.get(language, {})
            )
            whole = sum(inside.get(source, OTHERWISE) for source in parts)
            for source, part in parts.items():
                mine = inside.get(source, OTHERWISE) / whole
                factors[part] = share * mine / int(header(part)["bytes"])
        least = min(factors.values())
        merge_counts(list(factors), path, LEAST, weights=[one / least for one in factors.values()])
        return path

    def vocabulary(self, name: str, recipe: Recipe) -> Vocabulary:
        folder = self.work / name.replace(" ", "-")
        if (folder / "tokenizer.json").exists():
            return Vocabulary.load(folder)
        shares = dict(recipe.shares) or {"ru": 1.0}
        slug = "-".join(f"{g}{share:g}" for g, share in shares.items())
        groups = [{g: 1.0} for g in shares] if recipe.parity else [shares]
        files = [self.merged(f"all-{slug if len(g) > 1 else next(iter(g))}", g) for g in groups]
        cuts = None
        if recipe.penalty:
            cuts = self.work / "boundaries.tsv"
            if not cuts.exists():
                segment_counts(self.merged("all-ru", {"ru": 1.0}), cuts)
        settings = {} if recipe.penalty else {"penalty": 0.0}
        start = time.process_time()
        model = learn(files, TrainParameters(recipe.size, **settings), cuts)
        print(f"{name}: {time.process_time() - start:.1f} CPU s", flush=True)
        model.vocabulary().save(folder)
        return model.vocabulary()


def baselines() -> list[Baseline]:
    folders = sorted(texts.baselines().iterdir())
    return [open_baseline(one) for one in folders if one.is_dir() and not one.name.startswith("_")]


def table(found: Sequence[Figures], domains: Sequence[str]) -> str:
    """Markdown: tokens per word by domain; means over these domains of the rest."""
    heads = ["tokenizer", "ids", *domains, "chars/t", "bytes/t", "1 token", "<= 2", "Rényi", "P", "R", "F1"]
    heads += ["same stem", "split", "unused", "seldom", "lost"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += [f"| {one.name} | {one.vocabulary_size:,} | {_cells(one, domains)} |" for one in found]
    return "\n".join(lines) + "\n"


def _cells(one: Figures, domains: Sequence[str]) -> str:
    here = [domain for domain in one.domains if domain.domain in domains]
    tokens, words = sum(domain.tokens for domain in here), sum(domain.words for domain in here)
    cells = [f"{domain.tokens_per_word:.3f}" for domain in here]
    cells += [
        f"{sum(domain.chars_per_token * domain.tokens for domain in here) / tokens:.2f}",
        f"{sum(domain.bytes_per_token * domain.tokens for domain in here) / tokens:.2f}",
        f"{sum(domain.one_token * domain.words for domain in here) / words:.3f}",
        f"{sum(domain.two_tokens * domain.words for domain in here) / words:.3f}",
        f"{one.renyi:.3f}",
    ]
    if one.boundaries:
        cuts = one.boundaries
        cells += [f"{cuts.precision:.3f}", f"{cuts.recall:.3f}", f"{cuts.f1:.3f}"]
    if one.consistency:
        cells += [f"{one.consistency.exact:.3f}", f"{one.consistency.split_exact:.3f}"]
    lost = "-" if one.lost_scalars is None else f"{one.lost_scalars:,}"
    return " | ".join([*cells, f"{one.unused:,}", f"{one.seldom:,}", lost])


def write(out: Path, found: Evaluation, groups: Mapping[str, Sequence[str]]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "evaluation.json").write_text(found.to_json())
    for name, plot in plots.draw(found).items():
        (out / name).write_text(plot)
    for name, domains in groups.items():
        made = table(found.tokenizers, domains)
        (out / f"{name}.md").write_text(made)
        print(f"\n{name}\n{made}", flush=True)


def parse_shares(text: str) -> tuple[tuple[str, float], ...]:
    pairs = (one.partition("=") for one in text.split(","))
    return tuple((language, float(share)) for language, _, share in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--russian", type=Path, action="append", default=[])
    parser.add_argument("--english", type=Path, action="append", default=[])
    parser.add_argument("--code", type=Path, action="append", default=[])
    parser.add_argument("--only", default="")
    parser.add_argument("--shares", action="append", default=[])
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--no-baselines", action="store_true")
    parser.add_argument("--scalars", action="store_true", help="every Unicode scalar, too (minutes)")
    options = parser.parse_args()
    bench = Bench(options.work, options.russian, options.english, options.code)
    names = [name for name in options.only.split(",") if name] if options.only or options.shares else RECIPES
    chosen = {name: RECIPES[name] for name in names}
    chosen |= {shares: Recipe(128_000, shares=parse_shares(shares)) for shares in options.shares}
    ours = [from_vocabulary(bench.vocabulary(name, one), name) for name, one in chosen.items()]
    span = (texts.TEST, texts.DEVELOPMENT) if options.development else (0, texts.TEST)
    russian = texts.russian_domains(*span, options.russian)
    if not options.development:
        russian |= texts.unseen_domains()
    others = texts.other_domains(*span, options.english, options.code)
    valid = dictionary(texts.data() / "morphemes" / "rus.valid")
    words = word_counts(text for documents in russian.values() for text in documents)
    found = evaluate(
        [*ours, *([] if options.no_baselines else baselines())],
        russian | others,
        boundaries=valid,
        forms=inflected_forms(words),
        scalars=options.scalars,
    )
    added = [path.stem for path in options.russian]
    groups = {"russian": [domain for domain in russian if domain not in added], "mixed": list(others)}
    write(options.out, found, groups | ({"added": added} if added else {}))


if __name__ == "__main__":
    main()
