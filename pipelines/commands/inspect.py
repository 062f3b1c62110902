"""`bukvar inspect DIR`: read documents or dropped rows with their signals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from pipelines.commands import common

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.text import Text

#: Words that mix Cyrillic and Latin letters: homoglyphs, or a sign of spam.
_MIXED: Final = re.compile(r"\b(?=\w*[а-яёА-ЯЁ])(?=\w*[a-zA-Z])\w+\b")
_ADDRESS: Final = re.compile(r"https?://\S+|\S+@\S+\.\w+")
#: Characters of a text shown without --full: about a screen.
SHOWN_CHARACTERS: Final = 1200


@click.command(
    "inspect",
    help="Read documents of a stage's folder, or of any Parquet, or dropped rows, with their signals.\n\n"
    "In a terminal, words that mix scripts, addresses and matches of --grep are highlighted.",
    epilog="Example: bukvar inspect out/demo/filter --dropped --reason too_few_words --limit 5    "
    "bukvar inspect out/demo/dedup --where 'cluster_size > 3' --full",
)
@click.argument("folder", metavar="DIR")
@click.option("--dropped", is_flag=True, help="Dropped rows in place of kept documents.")
@click.option("--reason", metavar="REASON", help="Dropped rows of this reason (implies --dropped).")
@click.option("--id", "identity", metavar="HEX", help="The document of this doc_id, or beginning of one.")
@click.option("--where", metavar="QUERY", help="Query on columns: \"words < 100 and lang == 'ru'\".")
@click.option("--grep", metavar="REGEX", help="Only texts that match.")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(min=1), help="Rows shown.")
@click.option("--skip", default=0, type=click.IntRange(min=0), help="Rows passed over first.")
@click.option("--full", is_flag=True, help="Whole texts, and signals that are zero too.")
@common.output_options
def inspect(folder: str, **options: Any) -> None:
    rows = _limited(read_rows(folder, options), options["skip"], options["limit"])
    if options["as_json"]:
        common.print_json([_plain(row) for row in rows])
        return
    from pipelines.progress import make_console

    console = make_console()
    count = 0
    for row in rows:
        count += 1
        _print(console, row, options)
    if not count:
        click.echo("nothing matches", err=True)


def _limited(rows: Iterator[dict[str, Any]], skip: int, limit: int) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows):
        if number >= skip + limit:
            return
        if number >= skip:
            yield row


def read_rows(folder: str, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Rows in shard order that the options select. Raises UsageError for a folder or query that is wrong."""
    import pyarrow as pa
    import pyarrow.dataset as ds
    from pyarrow import fs

    from corpus import storage
    from corpus.errors import UsageError
    from corpus.receipts import DROPPED
    from pipelines.query import parse

    _check_reason(options["reason"])
    dropped = options["dropped"] or bool(options["reason"])
    where = storage.join(folder, DROPPED) if dropped else folder
    if storage.info(where).type == fs.FileType.File:
        files = [where]
        if not storage.path_part(where).lower().endswith((".parquet", ".pq")):
            raise UsageError(
                f"{where}: not Parquet; `bukvar record` shows records of a crawl, any stage makes Parquet "
                "of JSONL (`bukvar identify FILE --set identify.keep=all --out DIR`)"
            )
    else:
        files = [f for f in storage.list_files(where) if storage.path_part(f).endswith(".parquet")]
    if not files:
        raise UsageError(f"{where}: no Parquet files here; name a stage's folder")
    pattern = _pattern(options["grep"])
    for file in files:
        filesystem, path = storage.open_filesystem(file)
        try:
            data = ds.dataset(path, filesystem=filesystem, format="parquet")
        except pa.ArrowException as error:
            raise UsageError(f"{file}: not a readable Parquet file ({error})") from error
        expression = parse(options["where"], data.schema) if options["where"] else None
        for batch in data.to_batches(filter=expression, batch_size=256):
            for row in _rows(batch):
                if _selected(row, options, pattern):
                    yield row


def _rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """Rows of a batch as Python values; a value that Python has no type for (a date in the year 200000) as
    text."""
    columns = [_values(column) for column in batch.columns]
    for values in zip(*columns, strict=True):
        yield dict(zip(batch.schema.names, values, strict=True))


def _values(column: pa.Array) -> list[Any]:
    import pyarrow as pa

    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError):
        try:
            values = column.cast(pa.string()).to_pylist()
        except pa.ArrowException:  # nested: no cast to text
            values = [f"<{column.type}>"] * len(column)
    return values


def _check_reason(reason: str | None) -> None:
    """Raise UsageError for a drop reason that no stage gives."""
    import difflib

    from corpus.errors import UsageError
    from corpus.table import ERROR_PREFIX
    from pipelines import registry

    known = registry.reasons()
    if not reason or reason in known or reason.startswith(ERROR_PREFIX):
        return
    near = difflib.get_close_matches(reason, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
    raise UsageError(f"--reason {reason}: no stage drops for that; {hint}")


def _pattern(text: str | None) -> re.Pattern[str] | None:
    from corpus.errors import UsageError

    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise UsageError(f"--grep {text!r}: not a regular expression ({error})") from error


def _selected(row: dict[str, Any], options: dict[str, Any], pattern: re.Pattern[str] | None) -> bool:
    if options["reason"] and row.get("drop") != options["reason"]:
        return False
    if options["identity"]:
        own = row.get("doc_id")
        shown = own.hex() if isinstance(own, bytes) else str(own)
        if not shown.startswith(options["identity"].lower()):
            return False
    return pattern is None or bool(pattern.search(row.get("text") or ""))


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v.hex() if isinstance(v, bytes) else v for k, v in row.items()}


def _print(console: Any, row: dict[str, Any], options: dict[str, Any]) -> None:
    plain = _plain(row)
    text = plain.pop("text", None)
    console.rule(style="dim", characters="-" if console.options.ascii_only else "─")
    console.print(f"{plain.pop('doc_id', '')}  ", end="", style="bold", markup=False)
    console.print(str(plain.pop("url", "")), style="blue", markup=False, soft_wrap=True)
    reason, detail = plain.pop("drop", None), plain.pop("drop_detail", None)
    if reason:
        console.print(f"dropped: {reason}" + (f" ({detail})" if detail else ""), style="red", markup=False)
    signals = [f"{k} {_short(v)}" for k, v in plain.items() if v or (options["full"] and v is not None)]
    console.print("  ".join(signals), style="dim", markup=False, soft_wrap=True)
    if text is None:
        console.print("(text not kept: a sample per reason is)", style="dim italic")
    else:
        console.print(_highlighted(text, options), soft_wrap=True)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _highlighted(text: str, options: dict[str, Any]) -> Text:
    from rich.text import Text

    whole = options["full"] or len(text) <= SHOWN_CHARACTERS
    shown = Text(text if whole else text[:SHOWN_CHARACTERS])
    shown.highlight_regex(_MIXED, "bold yellow")
    shown.highlight_regex(_ADDRESS, "cyan")
    if options["grep"]:
        shown.highlight_regex(options["grep"], "reverse")
    if not whole:
        shown.append(f" ... ({len(text):,} characters, --full shows all)", style="dim")
    return shown
