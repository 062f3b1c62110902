"""The built-in segmenter beside a dictionary of morphemes, and how many word types it cuts a second.

    BUKVAR_DATA=... python tests/bench/bench_morphemes.py [--model FILE] [--lemmas FILE] [--sample 3000]

- agreement: our hand-cut lemmas beside the dictionary's training half, on the lemmas that both have: what two
  sets of hand-made cuts agree on, so what a model of one can score on the other;
- segmenter: the model on lemmas of the dictionary's validation half (the first --sample by SHA-256; 0: all),
  none of which is cut by hand here;
- speed: all word types of text_ru in one thread, through Python; and `segment_counts`, files included.

Precision, recall and F1 are micro, over cuts inside words of Russian letters in small letters.
"""

import argparse
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tokenizer.morphemes import LEMMAS, MODEL, RussianSegmenter, morph_cuts, read_lemmas
from tokenizer.train import count_shard, merge_counts, read_counts, words

RUSSIAN = re.compile("[а-яё]{2,}")


def dictionary(path: Path) -> dict[str, tuple[int, ...]]:
    """Lines `lemma<TAB>morph:TYPE/morph:TYPE/...`: lemma -> cuts; the first of a lemma counts."""
    found: dict[str, tuple[int, ...]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        lemma, _, rest = line.partition("\t")
        morphs = [morph.partition(":")[0] for morph in rest.split("/")]
        if RUSSIAN.fullmatch(lemma) and "".join(morphs) == lemma:
            found.setdefault(lemma, morph_cuts(morphs))
    return found


def scores(gold: Mapping[str, Sequence[int]], found: Mapping[str, Sequence[int]]) -> dict[str, float]:
    right = sum(len({*gold[word]} & {*cuts}) for word, cuts in found.items())
    cut, wanted = sum(map(len, found.values())), sum(len(gold[word]) for word in found)
    exact = sum(set(gold[word]) == set(cuts) for word, cuts in found.items())
    return {
        "words": len(found),
        "precision": round(right / cut, 4),
        "recall": round(right / wanted, 4),
        "f1": round(2 * right / (cut + wanted), 4),
        "whole_words_right": round(exact / len(found), 4),
    }


def sample(lemmas: Iterable[str], most: int) -> list[str]:
    ordered = sorted(lemmas, key=lambda word: hashlib.sha256(word.encode()).digest())
    return ordered[: most or None]


def cpu(work: Callable[[], object]) -> tuple[float, object]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def speed(segmenter: RussianSegmenter, folder: Path) -> dict[str, float]:
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as scratch:
        parts = []
        for file in sorted(folder.glob("*.parquet")):
            part = Path(scratch) / f"{file.stem}.counts"
            count_shard([pq.read_table(file, columns=["text"])["text"]], "llama3", part)
            parts.append(part)
        counts = Path(scratch) / "all.counts"
        merge_counts(parts, counts, 2)
        types = [word for word in words(read_counts(counts)) if RUSSIAN.fullmatch(word)]
        seconds, _ = cpu(lambda: segmenter.cut_all(types))
        whole, numbers = cpu(lambda: segmenter.segment_counts(counts, Path(scratch) / "cuts.tsv"))
    return {
        "word_types": len(types),
        "types_per_cpu_second": round(len(types) / seconds),
        "segment_counts_cpu_seconds": round(whole, 2),
        "segment_counts_words": numbers[0],  # type: ignore[index]
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--lemmas", type=Path, default=LEMMAS)
    parser.add_argument("--sample", type=int, default=3000)
    parser.add_argument("--no-speed", action="store_true")
    options = parser.parse_args()
    data = Path(os.environ["BUKVAR_DATA"])
    segmenter = RussianSegmenter(options.model)
    ours = {lemma.text: lemma.cuts for lemma in read_lemmas(options.lemmas)}
    theirs = dictionary(data / "morphemes" / "rus.train")
    valid = dictionary(data / "morphemes" / "rus.valid")
    held = sample(valid.keys() - ours.keys(), options.sample)
    result: dict[str, object] = {
        "agreement": scores(theirs, {word: ours[word] for word in ours.keys() & theirs.keys()}),
        "segmenter": scores(valid, dict(zip(held, segmenter.cut_all(held), strict=True))),
        "lemmas_cut_by_hand_in_valid": len(ours.keys() & valid.keys()),
    }
    if not options.no_speed:
        result["speed"] = speed(segmenter, data / "text_ru")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
