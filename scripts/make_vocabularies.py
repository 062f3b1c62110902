"""Make tokenizer/assets/vocabularies, those of `Tokenizer.from_name`, from texts whose licences are stated.

    BUKVAR_DATA=DATA python -m scripts.make_vocabularies --work DIR --russian DIR --english DIR [--measure]

--russian and --english are what `tests.bench.russian_texts` and `tests.bench.english_texts` write out of
clones of public repositories. Of DATA/text_ru only sources with a stated licence are taken (fiction, drama,
dialogue, the PHP manual; no news), of DATA/wcxb the main texts. Documents by which docs/measured measures are
held out, as tests/bench/vocabulary_texts.py says. --work keeps counts. --measure prints tokens per word of
development documents instead, beside o200k, Llama 4 and RuAdapt: by it the shares were chosen; with --final
of the documents held out for the end, and of sources that are never trained on.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.bench import english_texts, russian_texts
from tests.bench import vocabulary_texts as texts
from tokenizer import named
from tokenizer.baselines import Baseline, from_vocabulary, open_baseline
from tokenizer.evaluate import evaluate
from tokenizer.morphemes import segment_counts
from tokenizer.train import TrainParameters, count_shard, header, learn, merge_counts
from tokenizer.vocabulary import ALPHABET, Vocabulary

#: Begin, end, padding, unknown, and room for what a fine-tuning needs: 16, so that sizes stay round.
SPECIAL: Final = (
    "bos=<|begin_of_text|>",
    "eos=<|end_of_text|>",
    "pad=<|pad|>",
    "unk=<|unk|>",
    *(f"<|reserved_{number}|>" for number in range(12)),
)
#: Sources of text_ru whose licence allows it, with what the `license` column says.
TEXT_RU: Final = {
    "ruslit": "public domain",
    "rusdracor": "CC0-1.0 (RusDraCor)",
    "koziev": "CC0-1.0 (Koziev's paraphrases)",
    "phpdoc_ru": "CC-BY-3.0 (the PHP Documentation Group)",
}
#: Of the bytes of Russian, by source: alone, and beside English and code. Chosen on development documents.
RUSSIAN: Final = {
    "ruslit": 0.29,
    "koziev": 0.08,
    "phpdoc_ru": 0.04,
    "rusdracor": 0.05,
    "encyclopedia": 0.22,
    "press": 0.22,
    "medicine": 0.03,
    "law": 0.04,
    "docs": 0.03,
}
BESIDE: Final = {
    "ruslit": 0.14,
    "koziev": 0.05,
    "phpdoc_ru": 0.03,
    "rusdracor": 0.03,
    "encyclopedia": 0.2,
    "press": 0.21,
    "medicine": 0.08,
    "law": 0.14,
    "docs": 0.12,
}
SHARES: Final = {"ru": 0.46, "en": 0.505, "code": 0.035}
ENGLISH: Final = {"wcxb": 0.38, "wiki": 0.2, "mixed": 0.2, "books": 0.18, "tech": 0.04}
CODE: Final = {"python": 0.45, "rust": 0.55}
#: Name -> tokens, special ones included, and shares of languages.
VOCABULARIES: Final[Mapping[str, tuple[int, Mapping[str, float]]]] = {
    "ru-32k": (32_000, {"ru": 1.0}),
    "ru-64k": (64_000, {"ru": 1.0}),
    "ru-en-code-128k": (128_000, SHARES),
}
INSIDE: Final = {"ru": BESIDE, "en": ENGLISH, "code": CODE}
BASELINES: Final = ("openai_o200k_base", "llama4", "ru_ruadapt_darulm_bpe_32k", "ru_ruadapt_darulm_bpe_64k")


def inside(name: str, language: str) -> Mapping[str, float]:
    """Of the bytes of a language, the share of each source."""
    return INSIDE[language] if len(VOCABULARIES[name][1]) > 1 else RUSSIAN


class Texts:
    """Counts of the sources in a folder: what is there is not counted again."""

    def __init__(self, work: Path, russian: Path, english: Path) -> None:
        self.work = work
        self.russian = sorted(russian.glob("*.parquet"))
        self.english = sorted(path for path in english.glob("*.parquet") if path.stem != "rust")
        self.code = [path for path in english.glob("*.parquet") if path.stem == "rust"]
        self.sources = texts.training(self.english, self.code, self.russian)
        self.sources["ru"] = {
            name: documents
            for name, documents in self.sources["ru"].items()
            if name in TEXT_RU or name in {path.stem for path in self.russian}
        }

    def counts(self, language: str) -> dict[str, Path]:
        found = {}
        for source, documents in self.sources[language].items():
            path = self.work / f"{language}-{source}.counts"
            if not path.exists():
                print("counting", path.stem, flush=True)
                kept = texts.part(documents, texts.first_trained(source), 256)
                count_shard(kept, named.PATTERN, path)
            found[source] = path
        return found

    def merged(self, name: str) -> Path:
        """Counts of a vocabulary's texts, times what brings each source to its share of the bytes."""
        path = self.work / f"{name}.counts"
        factors = {}
        for language, share in VOCABULARIES[name][1].items():
            parts, shares = self.counts(language), inside(name, language)
            whole = sum(shares[source] for source in parts)
            for source, part in parts.items():
                factors[part] = share * shares[source] / whole / int(header(part)["bytes"])
        least = min(factors.values())
        merge_counts(list(factors), path, 2, weights=[one / least for one in factors.values()])
        return path


def made(given: Texts, name: str) -> Vocabulary:
    counts, cuts = given.merged(name), given.work / f"{name}.tsv"
    segment_counts(counts, cuts)
    parameters = TrainParameters(VOCABULARIES[name][0], named.PATTERN, special_tokens=SPECIAL)
    return learn(counts, parameters, cuts).vocabulary()


def about(given: Texts, name: str) -> dict[str, Any]:
    """What a vocabulary was learnt from: source -> licence, bytes counted and share."""
    licences = dict(TEXT_RU) | {
        "wcxb": "main texts of web pages as marked in WCXB (CC-BY-4.0)",
        "python": "Python's library (PSF-2.0)",
        "rust": f"crates under {', '.join(english_texts.LICENCES)}",
    }
    for source in (*russian_texts.SOURCES, *english_texts.SOURCES):
        before = licences.get(source.kind, "")
        mine = f"{source.repository} ({source.licence})"
        licences[source.kind] = before if mine in before else f"{before}; {mine}".lstrip("; ")
    licences["mixed"] += "; addresses of US presidents (NLTK's state_union, inaugural: public domain)"
    found: dict[str, Any] = {}
    for language, share in VOCABULARIES[name][1].items():
        parts, shares = given.counts(language), inside(name, language)
        whole = sum(shares[source] for source in parts)
        found |= {
            source: {
                "licence": licences[source],
                "bytes": int(header(path)["bytes"]),
                "share": round(share * shares[source] / whole, 4),
            }
            for source, path in parts.items()
        }
    return found


def measure(given: Texts, vocabularies: Mapping[str, Vocabulary], *, final: bool) -> None:
    """Tokens per word of held-out documents, and the difference to each baseline."""
    span = (0, texts.TEST) if final else (texts.TEST, texts.DEVELOPMENT)
    unseen = texts.unseen_domains()
    domains = texts.russian_domains(*span, given.russian)
    domains |= unseen if final else {"wikinews": unseen["wikinews"]}
    domains |= texts.other_domains(*span, given.english, given.code)
    if not final:
        del domains["en wiki"]
    folder = texts.baselines()
    baselines = [open_baseline(folder / name, name) for name in BASELINES]
    ours: list[Baseline] = [from_vocabulary(one, name) for name, one in vocabularies.items()]
    found = {one.name: one for one in evaluate([*ours, *baselines], domains).tokenizers}
    print("domain", *vocabularies, *(f"{n}/{r}" for n in vocabularies for r in BASELINES), sep="\t")
    for place, domain in enumerate(domains):
        row = {name: one.domains[place].tokens_per_word for name, one in found.items()}
        cells = [f"{row[name]:.3f}" for name in vocabularies]
        cells += [f"{row[name] / row[baseline] - 1:+.1%}" for name in vocabularies for baseline in BASELINES]
        print(f"{domain:<14}", *cells, sep="\t", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--russian", type=Path, required=True)
    parser.add_argument("--english", type=Path, required=True)
    parser.add_argument("--only", default=",".join(VOCABULARIES))
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--final", action="store_true")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    given = Texts(options.work, options.russian, options.english)
    vocabularies = {name: made(given, name) for name in options.only.split(",")}
    if options.measure:
        measure(given, vocabularies, final=options.final)
        return
    for name, vocabulary in vocabularies.items():
        merges = tuple(vocabulary.merges_over(ALPHABET))
        special, roles = tuple(vocabulary.special_tokens), vocabulary.roles
        stored = named.Stored(merges, special, roles, vocabulary.digest, about(given, name))
        size = named.write(name, stored)
        print(f"{name}: {vocabulary.size:,} ids, {size:,} bytes")


if __name__ == "__main__":
    main()
