"""English and code whose licences are stated, out of clones of public repositories and of crates.

    BUKVAR_DATA=... python -m tests.bench.english_texts CLONES --out DIR [--crates DIR]

CLONES is a folder of clones by owner and name, as of `russian_texts.py`; what is not there is left out, and
said. Writes a Parquet file (id, text) a kind: wiki, mixed, books, tech, and rust out of the sources of crates
(cargo's registry, or a folder of `cargo vendor`) whose Cargo.toml states a licence that is named below.
Documents that share eight words in a row with XQuAD are left out: ours is measured on it.
"""

from __future__ import annotations

import argparse
import io
import re
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench import vocabulary_texts as texts
from tests.bench.russian_texts import Source, conllu, files, markdown, pieces, plain, shingles, tagged

#: Less is no text.
LEAST: Final = 300
LICENCES: Final = ("MIT", "Apache-2.0", "BSD", "Unlicense", "Zlib", "ISC", "CC0-1.0")
_WIKI: Final = "Wikipedia's text: CC BY-SA"
_US: Final = "work of the US government: public domain"
SOURCES: Final = (
    Source("wiki", "Babelscape/wikineural", _WIKI, r"data/wikineural/en/(test|val)\.conllu", tagged),
    Source("mixed", "UniversalDependencies/UD_English-EWT", "CC BY-SA 4.0", r".*\.conllu", conllu),
    Source("mixed", "18F/18f.gsa.gov", "CC0-1.0", r".*\.md", markdown),
    Source("books", "mlschmitt/classic-books-markdown", "public domain", r".*\.md", plain),
    Source("tech", "python/peps", "public domain or CC0-1.0", r"peps/.*\.rst", plain),
    Source(
        "tech",
        "MicrosoftDocs/dynamics365smb-docs",
        "CC BY 4.0",
        r"(business-central|archive).*\.md",
        markdown,
    ),
)
#: Zip files of NLTK's data, with the licence of the text in them.
ZIPPED: Final = {"state_union": _US, "inaugural": _US}


def documents(clones: Path, source: Source) -> Iterator[tuple[str, str]]:
    for name, text in files(clones, source):
        parts = (part for read in source.read(text) for part in pieces(read))
        for number, part in enumerate(parts):
            if len(part) >= LEAST:
                yield f"{source.repository}/{name}#{number}", part.strip()


def zipped(clones: Path, name: str) -> Iterator[tuple[str, str]]:
    """The text files of one corpus of NLTK's data."""
    path = clones / "nltk" / "nltk_data" / "packages" / "corpora" / f"{name}.zip"
    if not path.is_file():
        print(f"nltk/nltk_data, {name}: not there, left out")
        return
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        for entry in sorted(archive.namelist()):
            if entry.endswith(".txt"):
                yield f"nltk/{entry}", archive.read(entry).decode("utf-8", "replace")


def crates(folder: Path) -> Iterator[tuple[str, str]]:
    """Sources of the crates whose licence is among `LICENCES`."""
    for manifest in sorted(folder.rglob("Cargo.toml")):
        try:
            stated = str(tomllib.loads(manifest.read_text("utf-8"))["package"].get("license", ""))
        except (KeyError, tomllib.TOMLDecodeError, UnicodeDecodeError):
            continue
        if not any(name in stated for name in LICENCES):
            continue
        for path in sorted((manifest.parent / "src").rglob("*.rs")):
            text = path.read_text("utf-8", "replace")
            if LEAST <= len(text) < 1 << 20 and not re.search(r"[^\s]{2000}", text):
                yield path.relative_to(folder).as_posix(), text


def write(out: Path, kind: str, found: dict[str, str]) -> None:
    size = sum(len(text.encode()) for text in found.values()) / 1e6
    print(f"{kind}: {len(found)} documents, {size:.2f} MB", flush=True)
    table = pa.table({"id": list(found), "text": list(found.values())})
    pq.write_table(table, out / f"{kind}.parquet", compression="zstd")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clones", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--crates", type=Path, default=Path.home() / ".cargo" / "registry" / "src")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    forbidden = set().union(*(shingles(text) for _, text in texts.xquad("en")))
    kinds: dict[str, dict[str, str]] = {}
    for source in SOURCES:
        if not (options.clones / source.repository).is_dir():
            print(f"{source.repository}: not there, left out")
            continue
        found = documents(options.clones, source)
        if source.kind == "wiki":
            found = ((name, text) for name, text in found if forbidden.isdisjoint(shingles(text)))
        kinds.setdefault(source.kind, {}).update(found)
    for name in ZIPPED:
        kinds.setdefault("mixed", {}).update(zipped(options.clones, name))
    kinds["rust"] = dict(crates(options.crates))
    for kind, found in kinds.items():
        write(options.out, kind, found)


if __name__ == "__main__":
    main()
