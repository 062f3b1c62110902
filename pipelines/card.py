"""The card of a published dataset: README.md, English and Russian, from the manifest alone.

It says only what the manifest knows: of documents whose past is not known it does not say that they are
Russian or came from a crawl.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from corpus import storage
from pipelines import registry
from pipelines.account import Run
from pipelines.manifest import Manifest, make_manifest, write_manifest
from pipelines.templates import render

CARD: Final = "README.md"
#: What each column means to a reader, in English and in Russian.
COLUMNS: Final[dict[str, tuple[str, str]]] = {
    "doc_id": ("identity, the same in every run", "идентификатор, одинаковый при каждом запуске"),
    "url": ("address of the page", "адрес страницы"),
    "host": ("host of the address", "хост адреса"),
    "fetched_at": ("when the page was fetched (UTC)", "когда страница получена (UTC)"),
    "source": ("file and offset of the record", "файл и смещение записи"),
    "text": ("the document", "текст документа"),
    "title": ("title as the page states it", "заголовок страницы"),
    "author": ("author as the page states it", "автор, указанный на странице"),
    "date": ("date of publication as the page states it", "дата публикации, указанная на странице"),
    "lang": ("language, BCP-47", "язык, BCP-47"),
    "lang_score": ("how sure the language is, 0 to 1", "уверенность в языке, от 0 до 1"),
    "register": ("kind of text", "жанр текста"),
    "quality": ("probability that the document is good, 0 to 1", "вероятность хорошего документа, от 0 до 1"),
    "cluster_size": (
        "documents in its cluster of duplicates, this one included",
        "сколько документов в его группе дубликатов, считая его самого",
    ),
}


def finish(stage: Any, target: str, run: Run) -> Manifest:
    """Write card and manifest; the dataset is published when the manifest lies there, and sent to the hub
    where `to` names a repository."""
    manifest = make_manifest(stage, target, run)
    write_card(target, manifest, stage.contact)
    write_manifest(target, manifest)
    if stage.to:
        from pipelines import hub

        hub.send(target, stage.to, _say, private=stage.private)
    return manifest


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def write_card(target: str, manifest: Manifest, contact: str = "") -> None:
    """Write README.md of a dataset."""
    storage.write_bytes(storage.join(target, CARD), make_card(manifest, contact).encode())


def make_card(manifest: Manifest, contact: str = "") -> str:
    """The card's text."""
    counts = manifest.contents.get("counts", {})
    languages = counts.get("lang", {})
    splits = sorted({entry.path.removeprefix("data/").partition("-")[0] for entry in manifest.files})
    return render(
        "card.md",
        manifest=manifest,
        contact=contact,
        columns=COLUMNS,
        counts=counts,
        languages=languages,
        russian=bool(languages) and set(languages) <= {"ru"},
        crawled=any(entry.stage == "extract" for entry in manifest.lineage),
        masked=manifest.contents.get("masked", {}).get("masked", 0),
        mask_run=any(entry.stage == "mask" for entry in manifest.lineage),
        opt_outs=_opt_outs(manifest),
        splits={split: _rows_of(manifest, split) for split in splits},
        size_category=_size_category(manifest.rows),
        order=registry.names(),
    )


def _rows_of(manifest: Manifest, split: str) -> int:
    return sum(entry.rows for entry in manifest.files if entry.path.startswith(f"data/{split}-"))


def _opt_outs(manifest: Manifest) -> dict[str, int]:
    """Documents left out because their page or site asked for it, or somebody did, by reason."""
    last = manifest.lineage[-1] if manifest.lineage else None
    return dict(last.dropped) if last is not None and last.stage == "publish" else {}


def _size_category(rows: int) -> str:
    """Size class in the hub's vocabulary."""
    limits = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]
    limits += [(10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B")]
    return next((name for limit, name in limits if rows < limit), "n>1B")
