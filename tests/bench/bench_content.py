"""Main text beside its peers, in one run: F1 by set and kind of page, pages per second, a plot of the two.

    BUKVAR_DATA=... python -m tests.bench.bench_content [--peers PROGRAM] [--plot FILE.svg] [--folds 4]

BUKVAR_DATA holds gold_pages_ru and wcxb. Our F1 is by cross-validation: no page is extracted by a model that
saw its host. Peers in Python are called here; PROGRAM runs peers in Rust: it is called as PROGRAM PAGES TEXTS
NAME with files of length-prefixed UTF-8 (u32, little-endian) and prints its CPU seconds. Pages per second are
CPU time of one core over decoded pages, decoding and reading left out for all alike.
"""

from __future__ import annotations

import argparse
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from warcio.archiveiterator import ArchiveIterator

from corpus.extract.content import load
from corpus.extract.decode import decode
from scripts.fit import content as fit

RUST_PEERS = ("dom_smoothie", "crate_trafilatura", "crate_trafilatura_precision", "rs_trafilatura")
WCXB_LICENCE = "CC-BY-4.0, Murrough-Foley/web-content-extraction-benchmark"
RU_LICENCE = "DAnIEL corpus, rundimeco/waddle"
Job = Callable[[Sequence[fit.Page]], tuple[list[str], float]]
RU_WEIGHT = 4.0
"""A page of the small Russian set counts as much as four others (docs/measured/content.md, weights)."""


def prepare(data: Path, out: Path) -> list[Path]:
    """Write both sets as PAGES for `scripts.fit.content`; returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    rows = pq.read_table(data / "wcxb" / "dev.parquet").to_pylist()
    wcxb = [
        {"url": r["url"] or "", "html": decode(r["html"]).text, "gold_text": r["gold_text"], "weight": 1.0}
        | {"page_type": r["page_type"], "source": "wcxb", "license": WCXB_LICENCE}
        for r in rows
    ]
    gold = {
        r["url"]: r["gold_text"] for r in pq.read_table(data / "gold_pages_ru" / "gold.parquet").to_pylist()
    }
    ru = []
    with (data / "gold_pages_ru" / "pages.warc.gz").open("rb") as stream:
        for record in ArchiveIterator(stream):
            url = record.rec_headers.get_header("WARC-Target-URI")
            if record.rec_type == "response" and url in gold:
                html = decode(record.content_stream().read()).text
                row = {"url": url, "html": html, "gold_text": gold[url], "weight": RU_WEIGHT}
                ru.append(row | {"page_type": "article", "source": "gold_pages_ru", "license": RU_LICENCE})
    paths = []
    for name, pages in (("wcxb", wcxb), ("gold_pages_ru", ru)):
        paths.append(out / f"{name}.parquet")
        pq.write_table(pa.Table.from_pylist(pages), paths[-1])
    return paths


def python_peers() -> dict[str, Callable[[str], str]]:
    """Peers in Python, with the settings their users choose for corpora."""
    import justext  # type: ignore[import-untyped]
    import trafilatura
    from resiliparse.extract.html2text import extract_plain_text

    stops = justext.get_stoplist("Russian") | justext.get_stoplist("English")

    def just(html: str) -> str:
        return "\n".join(p.text for p in justext.justext(html, stops) if not p.is_boilerplate)

    def trafilatura_with(**options: bool) -> Callable[[str], str]:
        return lambda html: trafilatura.extract(html, include_comments=False, **options) or ""

    return {
        "trafilatura": trafilatura_with(),
        "trafilatura_precision": trafilatura_with(favor_precision=True),
        "resiliparse": lambda html: extract_plain_text(html, main_content=True),
        "justext": just,
    }


def run_python(extract: Callable[[str], str], pages: Sequence[fit.Page]) -> tuple[list[str], float]:
    """Texts and CPU seconds; a page that a peer fails on has no text."""
    texts, seconds = [], 0.0
    for page in pages:
        html = page.html
        start = time.process_time()
        try:
            texts.append(extract(html))
        except Exception:
            texts.append("")
        seconds += time.process_time() - start
    return texts, seconds


def run_rust(program: Path, name: str, pages: Sequence[fit.Page]) -> tuple[list[str], float]:
    """The same by the program of Rust peers."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "pages", Path(folder) / "texts"
        with source.open("wb") as out:
            for page in pages:
                html = page.html.encode()
                out.write(struct.pack("<I", len(html)) + html)
        command = [str(program), str(source), str(target), name]
        seconds = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        data, at, texts = target.read_bytes(), 0, []
        while at < len(data):
            (length,) = struct.unpack_from("<I", data, at)
            texts.append(data[at + 4 : at + 4 + length].decode())
            at += 4 + length
    return texts, seconds


def marks(pages: Sequence[fit.Page], texts: Sequence[str]) -> dict[str, float]:
    """Mean F1 by source and by source/kind."""
    groups: dict[str, list[float]] = defaultdict(list)
    for page, text in zip(pages, texts, strict=True):
        f1 = fit.word_f1(text, page.gold)[2]
        groups[page.source].append(f1)
        if page.source == "wcxb":
            groups[str(page.kind)].append(f1)
    return {name: float(np.mean(values)) for name, values in groups.items()}


def plot(rows: dict[str, tuple[dict[str, float], dict[str, float]]], path: Path) -> None:
    """F1 over pages per second, a panel a set."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "bukvar", "svg.fonttype": "none"}  # the same figures, the same bytes
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2))
    for axis, source in zip(axes, ("gold_pages_ru", "wcxb"), strict=True):
        for name, (f1, speed) in rows.items():
            ours = name == "bukvar"
            axis.scatter(speed[source], f1[source], s=42 if ours else 26, color="tab:red" if ours else "0.35")
            axis.annotate(
                name.replace("_trafilatura_precision", "_trafilatura,\nprecision")
                .replace("_precision", ", precision")
                .replace("_", " "),
                (speed[source], f1[source]),
                fontsize=8,
                fontweight="bold" if ours else "normal",
                xytext=(
                    -6 if ours else 6,
                    {"dom_smoothie": 6, "resiliparse": -9, "crate_trafilatura_precision": -8}.get(name, -3),
                ),
                ha="right" if ours else "left",
                textcoords="offset points",
            )
        axis.set(xscale="log", xlabel="pages per second of one core", ylabel="word F1", xlim=(15, 4000))
        axis.set_title(
            {"gold_pages_ru": "144 Russian news pages", "wcxb": "1,476 pages of seven kinds"}[source]
        )
        axis.grid(visible=True, which="major", color="0.9")
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peers", type=Path, help="program of the Rust peers")
    parser.add_argument("--plot", type=Path, help="where the plot goes (SVG)")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--ours", type=Path, help="texts of a cross-validation (fit --folds N --texts FILE)")
    parser.add_argument("--work", type=Path, default=Path(".bench") / "content")
    options = parser.parse_args(argv)
    if "BUKVAR_DATA" not in os.environ:
        print("set BUKVAR_DATA to the folder that holds gold_pages_ru and wcxb", file=sys.stderr)
        return 2
    paths = prepare(Path(os.environ["BUKVAR_DATA"]), options.work)
    pages = list(fit.read_pages(paths))
    rows: dict[str, tuple[dict[str, float], dict[str, float]]] = {}
    jobs: dict[str, Job] = {name: partial(run_python, f) for name, f in python_peers().items()}
    if options.peers:
        jobs |= {n: partial(run_rust, options.peers, n) for n in RUST_PEERS}
    model = load()
    jobs["bukvar"] = partial(run_python, lambda html: str(model.extract(html)["text"]))
    sets = {name: [p for p in pages if p.source == name] for name in ("gold_pages_ru", "wcxb")}
    for name, job in jobs.items():
        f1: dict[str, float] = {}
        speed: dict[str, float] = {}
        for source, some in sets.items():
            texts, seconds = job(some)
            speed[source] = len(some) / seconds
            f1 |= marks(some, texts)
        rows[name] = (f1, speed)
        if name != "bukvar":
            print(row(name, f1, speed), flush=True)
    if options.ours:
        texts = pq.read_table(options.ours)["text"].to_pylist()
    else:
        texts = fit.cross_validate(*fit.material(pages), fit.Parameters(), options.folds)
    rows["bukvar"] = (marks(pages, texts), rows["bukvar"][1])
    print(row("bukvar", *rows["bukvar"]))
    if options.plot:
        plot(rows, options.plot)
    return 0


def row(name: str, f1: dict[str, float], speed: dict[str, float]) -> str:
    """One line of the table in docs/measured/content.md."""
    cells = [
        f"{f1[key]:.3f}" for key in ("gold_pages_ru", "wcxb", *sorted(f1.keys() - {"gold_pages_ru", "wcxb"}))
    ]
    return (
        f"| {name} | " + " | ".join(cells + [f"{speed[key]:.0f}" for key in ("gold_pages_ru", "wcxb")]) + " |"
    )


if __name__ == "__main__":
    raise SystemExit(main())
