"""Arrow schemas of what bukvar passes on, and the closed list of drop reasons.

A document table is a `pyarrow.Table` that begins with the columns of `DOCUMENT`; stages add columns with
flat names. Dropped rows keep the columns that they had, plus `DROP_COLUMNS`; their text is kept for a
sample per reason only, the column `source` being the way back to the bytes.
"""

from __future__ import annotations

import hashlib
from typing import Final

import pyarrow as pa

#: Columns every document has. `doc_id` is a 16-byte digest of the record's identity, stable across runs;
#: `source` is "file:offset", the way back to the bytes; `text` is large_string since a shard's text may
#: pass 2 GiB.
DOCUMENT: Final = pa.schema(
    [
        pa.field("doc_id", pa.binary(16), nullable=False),
        pa.field("url", pa.string()),
        pa.field("host", pa.string()),
        pa.field("fetched_at", pa.timestamp("s", tz="UTC")),
        pa.field("source", pa.string(), nullable=False),
        pa.field("text", pa.large_string()),
    ]
)

#: The two columns by which a stage's function says what goes: a reason of `DROP_REASONS` (null = kept) and
#: the values that decided.
DROP: Final = "drop"
DROP_DETAIL: Final = "drop_detail"
DROP_COLUMNS: Final = pa.schema([pa.field(DROP, pa.string()), pa.field(DROP_DETAIL, pa.string())])

#: Every reason for which a row can leave, with what it means to a reader. `error:<Type>` is open by nature.
DROP_REASONS: Final[dict[str, str]] = {
    # extract
    "malformed_record": "the archive record could not be parsed; drop_detail names the defect",
    "http_status": "the server did not answer 200",
    "not_html": "the payload is not a page (by type or first bytes)",
    "empty_payload": "the record has no payload",
    "not_cyrillic": "the byte gate saw no Russian-looking text",
    "page_too_large": "the page is above the size limit",
    "extract_timeout": "main-text extraction passed its time limit",
    "extract_crashed": "main-text extraction ended abnormally",
    "no_main_text": "the extractor found no main text",
    "malformed_row": "the row of a JSONL or Parquet input could not be used",
    "redirect_page": "the page of a MediaWiki dump only leads to another",
    "not_an_article": "the page of a MediaWiki dump is of another namespace: talk, template, file",
    # identify
    "not_russian": "another language",
    "language_uncertain": "Russian with too low a score",
    "too_short_for_language": "too few letters to tell the language",
    # clean
    "empty_after_clean": "nothing was left after boilerplate lines went",
    # filter: one reason a rule of corpus.quality.verdicts
    "too_few_words": "fewer words than the limit",
    "too_many_words": "more words than the limit",
    "duplicate_lines": "too many repeated lines",
    "duplicate_line_chars": "too much text in repeated lines (Gopher)",
    "duplicate_paragraphs": "too many repeated paragraphs",
    "duplicate_paragraph_chars": "too much text in repeated paragraphs",
    **{f"top_{n}_gram": f"one {n}-gram makes up too much of the text" for n in (2, 3, 4)},
    **{f"duplicate_{n}_grams": f"too much text in repeated {n}-grams" for n in range(5, 11)},
    "few_sentence_ends": "too few lines end a sentence",
    "short_lines": "too many short lines",
    "duplicate_chars": "too much text in repeated lines (FineWeb)",
    "many_line_breaks": "too many line ends for the number of words: a list",
    "words_too_short": "mean word length below the limit",
    "words_too_long": "mean word length above the limit",
    "many_hashes": "too many '#'",
    "many_ellipses": "too many ellipses",
    "many_bullets": "too many lines with bullets",
    "many_ellipsis_lines": "too many lines end in an ellipsis",
    "few_alpha_words": "too few tokens hold a letter",
    "few_stop_words": "too few different stop words",
    "lorem_ipsum": "filler text",
    "curly_brackets": "curly brackets, as in program code",
    # dedup
    "exact_duplicate": "same text as another document",
    "near_duplicate": "nearly the same text as another document",
}

ERROR_PREFIX: Final = "error:"


def is_reason(reason: str) -> bool:
    """Whether a stage may give this reason."""
    return reason in DROP_REASONS or reason.startswith(ERROR_PREFIX)


def doc_id(identity: str) -> bytes:
    """16-byte BLAKE2b digest of a record's identity.

    The identity is the archive's own record id where there is one (with the URL, since some writers repeat
    ids), else "file:offset". The digest is not keyed: the same record gets the same id in every run.
    """
    return hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=16).digest()
