"""Stage `extract`: crawl files, and other files of pages, to documents. Records, gate, charset, main text,
repair, in that order.

Repair comes before language identification, so that Russian in a broken encoding is still Russian when its
language is asked for. Every record of a file ends up kept, dropped with a reason, or counted as what never
is a page; a document's `source` ("file:offset") is the way back to its bytes.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import pyarrow as pa
import pyarrow.compute as pc

from corpus import storage, table
from corpus.clean.repair import Repair
from corpus.extract import blocklists, inputs, rows, sites, warc
from corpus.extract.sandbox import Sandbox
from corpus.inputs import SHARD, Input
from corpus.receipts import SITES
from corpus.stage import Share
from corpus.writing import Output

#: Files of one page each that make up one task, on average: a shard of a few thousand documents reads
#: well, and 64 MiB keep a worker busy for seconds, not hours.
_PAGES: Final = 4_000
_PAGES_BYTES: Final = 64 << 20
#: Rows after which extracted pages go on as one table.
_ROWS: Final = 256


@dataclass(frozen=True)
class Extract:
    """Turn crawl files into documents: read records, keep what looks Russian, decode, take the main text.

    INPUT is files, folders, globs or URLs of crawls (WARC, ARC, WET; plain, .gz, .zst, .lz4, .bz2, .xz; in
    WACZ), of HTML in Parquet or JSONL (columns url and html, or as extract.url_column and extract.html_column
    say), of HTML files (.html, .htm, .xhtml), or of MediaWiki dumps (.xml; plain, .gz, .bz2, .xz). Its ending
    says what a file is, else its first bytes do.
    """

    name: ClassVar[str] = "extract"
    version: ClassVar[int] = 5
    needs: ClassVar[tuple[str, ...]] = ()
    adds: ClassVar[pa.Schema] = rows.ADDS
    reasons: ClassVar[Mapping[str, str]] = {
        "malformed_record": "the archive record could not be parsed; drop_detail names the defect",
        "http_status": "the server did not answer 200",
        "not_html": "the payload is not a page (by type or first bytes)",
        "empty_payload": "the record has no payload",
        "not_cyrillic": "the byte gate saw no Russian-looking text",
        "blocked_address": "the address is on a block list; drop_detail names list, category and rule",
        "page_too_large": "the page is above the size limit",
        "extract_timeout": "main-text extraction passed its time limit",
        "extract_crashed": "main-text extraction ended abnormally",
        "truncated_page": "only a part of the page is in the archive, and extract.truncated is drop",
        "no_main_text": "the extractor found no main text",
        "redirect_page": "the page of a MediaWiki dump only leads to another",
        "not_an_article": "the page of a MediaWiki dump is of another namespace: talk, template, file",
    }

    gate: str = field(
        default="russian",
        metadata={
            "help": "russian: drop by raw bytes what is not Cyrillic; skim: the same, a sixth faster, but "
            "numeric entities deep in a foreign page and its checksum are not seen; quick: by the first "
            "bytes alone where they show no trace of it, twice as fast, but Russian deep in a foreign page "
            "is lost; off: take every page"
        },
    )
    content: str = field(
        default="bukvar",
        metadata={"help": "main text by: bukvar (learned, in Rust) or trafilatura (in a child)"},
    )
    favor: str = field(
        default="balanced", metadata={"help": "precision, balanced or recall of the main text"}
    )
    comments: str = field(
        default="drop", metadata={"help": "readers' comments: drop, keep or only (content = bukvar)"}
    )
    timeout_s: float = field(default=10.0, metadata={"help": "seconds trafilatura may take for a page"})
    max_page_bytes: int = field(
        default=3_000_000,
        metadata={"help": "largest page in bytes given to trafilatura (3 MB take it about 5 s)"},
    )
    blocked: tuple[str, ...] = field(
        default=(),
        metadata={"help": f"kinds of addresses whose pages are not read: {', '.join(blocklists.CATEGORIES)}"},
    )
    blocklists: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "files or folders of lists of addresses whose pages are not read (domains, hosts files, "
            "AdBlock, words: docs/addresses.md)",
            "input": True,
        },
    )
    repair: tuple[str, ...] = field(
        default=tuple(f.name for f in dataclasses.fields(Repair) if f.default is True),
        metadata={"help": "repairs of the text that are on"},
    )

    url_column: str = field(
        default="url", metadata={"help": "column with the address, where HTML is in Parquet or JSONL"}
    )
    html_column: str = field(
        default="html", metadata={"help": "column with the page (text or bytes), where HTML is in a table"}
    )

    truncated: str = field(
        default="keep",
        metadata={
            "help": "pages of which only a part was archived: keep (the column truncated says why) or drop"
        },
    )

    def __post_init__(self) -> None:
        if self.truncated not in ("keep", "drop"):
            raise ValueError(f"extract.truncated is keep or drop, not {self.truncated!r}")
        if self.gate not in warc.GATES:
            raise ValueError(
                f"extract.gate is {', '.join(warc.GATES[:-1])} or {warc.GATES[-1]}, not {self.gate!r}"
            )
        if self.content not in ("bukvar", "trafilatura"):
            raise ValueError(f"extract.content is bukvar or trafilatura, not {self.content!r}")
        if self.comments not in ("drop", "keep", "only"):
            raise ValueError(f"extract.comments is drop, keep or only, not {self.comments!r}")
        if unknown_kinds := [kind for kind in self.blocked if kind not in blocklists.CATEGORIES]:
            raise ValueError(
                f"extract.blocked: no kind {unknown_kinds[0]!r}; "
                f"choose from {', '.join(blocklists.CATEGORIES)}"
            )
        known = {f.name for f in dataclasses.fields(Repair)}
        unknown = sorted(set(self.repair) - known)
        if unknown:
            raise ValueError(
                f"extract.repair: no repair {unknown[0]!r}; choose from {', '.join(sorted(known))}"
            )
        Sandbox(timeout_s=self.timeout_s, max_bytes=self.max_page_bytes, favor=self.favor)  # checks them

    def check(self, sources: Sequence[Input]) -> None:
        """Raise UsageError where a list has a broken line, the first Parquet file lacks the columns that hold
        pages, or the first file whose name says nothing is none to read."""
        blocklists.load(self.blocked, self.blocklists)
        unnamed = next((s for s in sources if inputs.kind_by_name(s.path) is None), None)
        if unnamed is not None:
            inputs.check_kind(unnamed.path, unnamed.name)
        first = next((s for s in sources if inputs.kind_by_name(s.path) == "parquet"), None)
        if first is not None:
            inputs.check_columns(first.path, first.name, self._columns())

    def reads_parts(self, source: Input) -> bool:
        """Crawl files, and HTML in Parquet or JSONL; not a page or a MediaWiki dump."""
        return inputs.kind_by_name(source.path) in ("crawl", "parquet", "jsonl")

    def shares(self, sources: Sequence[Input]) -> tuple[Share, ...]:
        """A task a file or part; files of one page each, which are many and small, by thousands in a task.

        A file's name decides whether it is the last of its task, so a file more or less changes one task.
        """
        shares: list[Share] = []
        pages: list[int] = []
        size = 0
        for place, source in enumerate(sources):
            if inputs.kind_by_name(source.path) != "page":
                shares.append(Share((place,)))
                continue
            pages.append(place)
            size += source.size
            if _is_last(source) or len(pages) == 4 * _PAGES or size > 4 * _PAGES_BYTES:
                shares.append(Share(tuple(pages)))
                pages, size = [], 0
        return (*shares, Share(tuple(pages))) if pages else tuple(shares)

    def _columns(self) -> inputs.Columns:
        return inputs.Columns(self.url_column, self.html_column)

    def read(self, source: Input, out: Output) -> Iterator[pa.Table]:
        """Judged rows of one file; what never is a page is counted in `out.skipped`."""
        out.bytes_in += source.size
        gate: Any = self.gate
        repairs = Repair(**{f.name: f.name in self.repair for f in dataclasses.fields(Repair)})
        lists = blocklists.load(self.blocked, self.blocklists)
        records = 0
        is_crawl = inputs.kind_by_name(source.path) == "crawl"
        first_byte = source.part.start if source.part and is_crawl else 0
        yield rows.empty()
        with storage.translated(source.name):
            batches = inputs.read_any(
                source.path, name=source.name, gate=gate, columns=self._columns(), part=source.part
            )
            for batch in batches:
                out.skipped.update(batch.skipped)
                records += batch.records
                name = storage.join(source.name, batch.within) if batch.within else source.name
                _keep_sites(batch.sites, name, out)
                if batch.dropped.num_rows:
                    gated = rows.gated(batch.dropped, name)
                    _note_cuts(gated, out)
                    yield gated
                for first in range(0, len(batch.pages), _ROWS):
                    pages = batch.pages[first : first + _ROWS]
                    yield rows.rows_of(pages, name, self, repairs, lists)
                    # Of whole-file gzip the offsets are those of the unpacked bytes: progress may
                    # reach 100% early.
                    done = batch.pages[first].offset if batch.position is None else batch.position
                    out.progress(done - first_byte, source.size)
        if not records and not source.part:
            out.notes.setdefault("empty", "no record in it")


def _keep_sites(found: Sequence[warc.Page], name: str, out: Output) -> None:
    """Write what sites say of training, where any does, beside the documents."""
    judged = [sites.row_of(page, f"{name}:{page.offset}") for page in found]
    said = [row for row in judged if row is not None]
    if said:
        out.write(pa.Table.from_pylist(said, schema=sites.SITES), f"{SITES}/{out.name}{SHARD}")


def _note_cuts(dropped: pa.Table, out: Output) -> None:
    """Note the first place where the file, or a member of it, ends inside of a record."""
    details = pc.fill_null(dropped.column(table.DROP_DETAIL), "")
    cut = dropped.filter(pc.match_substring_regex(details, "^(truncated|file_cut_short)"))
    malformed = cut.filter(pc.equal(cut.column(table.DROP), "malformed_record"))
    if malformed.num_rows and "cut short" not in out.notes:
        place, detail = malformed.column("source")[0].as_py(), malformed.column(table.DROP_DETAIL)[0].as_py()
        out.notes["cut short"] = f"{place}: {detail}"


def _is_last(source: Input) -> bool:
    """Whether a page's file ends its task: one in `_PAGES`, more where files are large, by a digest of its
    name."""
    digest = int.from_bytes(hashlib.sha256(source.name.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    return digest / 2**64 < max(1 / _PAGES, source.size / _PAGES_BYTES)
