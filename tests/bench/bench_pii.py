"""Personal data: recall on injections, false masks in clean text, rate, beside peers in one run.

    BUKVAR_DATA=... python tests/bench/bench_pii.py [--count N] [--megabytes N] [--peers PYTHON] [--hplt FILE]

Injections are put into sentences of BUKVAR_DATA/text_ru (news and drama: no detector was fitted to them) with
seed 7001. PYTHON is an interpreter with presidio-ru-recognizers (and presidio-analyzer) and datatrove; FILE a
Python file with a function `find(text) -> list[(start, end)]` of HPLT's patterns, which are not kept here.
Peers read the first injections and megabytes only: they are slow. "Covered" asks for every letter and digit
of an injection; "touched" for one of them, since some peers leave a label or a bracket.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq

from corpus.mask import PRESETS
from rust_ext import PII_KINDS, PiiMask
from tests.pii_bench import clean
from tests.pii_bench.forms import FORMS
from tests.pii_bench.generate import Injected, injections
from tests.pii_bench.score import Score, score, table

SEED = 7001
#: Types that the peers name in their documentation.
PRESIDIO = ("phone", "inn10", "inn12", "snils", "ogrn", "ogrnip", "account", "passport")
DATATROVE = ("email", "ip")
HPLT = ("phone", "email", "ip", "card")
SERVER = """
import json, sys
which = sys.argv[1]
if which == "presidio":
    from presidio_ru_recognizers import get_all_ru_recognizers
    found = get_all_ru_recognizers()
    def find(text):
        spans = []
        for r in found:
            hits = r.analyze(text, r.supported_entities, None) or []
            spans += [(x.start, x.end) for x in hits if x.score >= 0.4]
        return spans
else:
    from datatrove.pipeline.formatters.pii import PIIFormatter
    f = PIIFormatter()
    import re
    def find(text):
        spans = []
        for rep in (f.emails_replacer, f.ip_replacer):
            for p in rep.regex if isinstance(rep.regex, (list, tuple)) else [rep.regex]:
                ok = rep.validator or (lambda s: True)
                spans += [m.span(0) for m in re.finditer(p, text) if ok(m[0])]
        return spans
import time
texts = json.load(sys.stdin)
start = time.process_time()
out = [find(t) for t in texts]
json.dump({"spans": out, "seconds": time.process_time() - start}, sys.stdout)
"""


def held_out(folder: Path) -> list[str]:
    """Sentences of news and drama, none of them bundled."""
    rng = random.Random(SEED)
    found: set[str] = set()
    for name in ("news", "wikinews", "rusdracor"):
        for text in pq.read_table(folder / "text_ru" / f"{name}.parquet", columns=["text"])[
            "text"
        ].to_pylist():
            for sentence in re.split(r"(?<=[.!?…])\s+", (text or "")[:20_000]):
                if 40 <= len(sentence) <= 240 and re.search("[а-я]{3}", sentence) and "@" not in sentence:
                    found.add(" ".join(sentence.split()))
    return rng.sample(sorted(found), min(60_000, len(found)))


def real_clean(folder: Path) -> Iterator[tuple[str, list[str]]]:
    for name in ("ruslit", "rusdracor", "koziev", "phpdoc_ru", "news", "wikinews"):
        column = pq.read_table(folder / "text_ru" / f"{name}.parquet", columns=["text"])["text"]
        yield name, [t or "" for t in column.to_pylist()]


def own(items: list[Injected]) -> None:
    mask = PiiMask(PII_KINDS)
    started = time.process_time()
    result = score(items, lambda text: [f[:3] for f in mask.find(text)])
    print(f"bukvar: {len(items)} injections, {time.process_time() - started:.0f} s with scoring")
    print(table(result))


def false_masks(named: Iterator[tuple[str, list[str]]]) -> None:
    masks = {name: PiiMask(PRESETS[name]) for name in ("identifiers", "all")}
    for name, texts in named:
        size = sum(len(t.encode()) for t in texts) / 1e6
        started = time.process_time()
        finds = [masks["identifiers"].find(t) for t in texts]
        seconds = time.process_time() - started
        counts = Counter(f[2] for found in finds for f in found)
        every = Counter(f[2] for t in texts for f in masks["all"].find(t)) - counts
        print(
            f"  {name:10} {size:6.1f} MB {size / seconds:5.0f} MB/s  {dict(counts)}  by choice: {dict(every)}"
        )


def by_peer(which: str, python: str, texts: list[str]) -> tuple[list[list[tuple[int, int]]], float]:
    done = subprocess.run(
        [python, "-c", SERVER, which], input=json.dumps(texts), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{which}: {done.stderr[-400:]}")
    answer = json.loads(done.stdout)
    return answer["spans"], answer["seconds"]


def by_file(path: str, texts: list[str]) -> tuple[list[list[tuple[int, int]]], float]:
    spec = importlib.util.spec_from_file_location("hplt_patterns", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    started = time.process_time()
    return [list(module.find(t)) for t in texts], time.process_time() - started


Spans = list[list[tuple[int, int]]]
Run = Callable[[list[str]], tuple[Spans, float]]


def compare(name: str, kinds: tuple[str, ...], items: list[Injected], run: Run, dirty: list[str]) -> None:
    mask = PiiMask(PII_KINDS)
    items = [item for item in items if item.spans[0][2] in kinds]
    texts = [item.text for item in items]
    spans, seconds = run(texts)
    started = time.process_time()
    ours = [mask.find(t) for t in texts]
    own_seconds = time.process_time() - started
    found = dict(zip(texts, spans, strict=True))
    theirs: Score = score(items, lambda text: [(s, e, "") for s, e in found[text]])
    mine = score(items, lambda text: [f[:3] for f in mask.find(text)])
    touched = sum(any(s < i.spans[0][1] and e > i.spans[0][0] for s, e in found[i.text]) for i in items)
    false, _ = run(dirty)
    size = sum(len(t.encode()) for t in dirty) / 1e6
    print(f"{name}: {len(items)} injections of {', '.join(kinds)}")
    print(f"  covered {theirs.recall():.4f}, touched {touched / len(items):.4f}")
    print(f"  bukvar covers {mine.recall():.4f}")
    print(f"  seconds {seconds:.2f}, bukvar {own_seconds:.2f} ({seconds / own_seconds:.0f} times)")
    identifiers = PiiMask(PRESETS["identifiers"])
    own_false = sum(len(identifiers.find(t)) for t in dirty)
    print(f"  in {size:.1f} MB of clean text of ten kinds: {sum(map(len, false))} finds, bukvar {own_false}")
    assert len(ours) == len(texts)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--megabytes", type=float, default=10.0, help="of each kind of generated clean text")
    parser.add_argument("--peers")
    parser.add_argument("--hplt")
    options = parser.parse_args()
    if "BUKVAR_DATA" not in os.environ:
        print("set BUKVAR_DATA to the folder that holds text_ru/", file=sys.stderr)
        return 2
    folder = Path(os.environ["BUKVAR_DATA"])
    sentences = held_out(folder)
    few = list(injections(SEED, 23_000, sentences))
    if options.count:
        own(list(injections(SEED, options.count, sentences)))
    print("finds in clean text, generated (preset identifiers; then kinds by choice)")
    size = int(options.megabytes * 1e6)
    false_masks((kind, list(clean.texts(kind, SEED, size))) for kind in clean.KINDS)
    print("finds in edited text (e-mails and telephones of it are real)")
    false_masks(real_clean(folder))
    dirty = [t for kind in clean.KINDS for t in clean.texts(kind, SEED, 300_000)]
    if options.peers:
        peers = options.peers
        compare("presidio-ru-recognizers", PRESIDIO, few, lambda t: by_peer("presidio", peers, t), dirty)
        compare("datatrove PIIFormatter", DATATROVE, few, lambda t: by_peer("datatrove", peers, t), dirty)
    if options.hplt:
        path = options.hplt
        compare("HPLT's patterns", HPLT, few, lambda t: by_file(path, t), dirty)
    assert set(PRESIDIO) <= set(FORMS)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
