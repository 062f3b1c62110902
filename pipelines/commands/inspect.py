"""`bukvar inspect DIR`: read documents or dropped rows with their signals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from pipelines.commands import common

if TYPE_CHECKING:
    from rich.text import Text

    from pipelines.query import Wanted

#: Words that mix Cyrillic and Latin letters: homoglyphs, or a sign of spam.
_MIXED: Final = re.compile(r"\b(?=\w*[а-яёА-ЯЁ])(?=\w*[a-zA-Z])\w+\b")
_ADDRESS: Final = re.compile(r"https?://\S+|\S+@\S+\.\w+")
#: Characters of a text shown without --full: about a screen.
SHOWN_CHARACTERS: Final = 1200
#: Quality signals that say at a glance what a text is.
_TELLING: Final = ("words", "dup_sentence_ratio", "junk_margin")
#: Rows shown without --limit and --sample.
LIMIT: Final = 10


@click.command(
    "inspect",
    help="Read documents of a stage's folder, of a published dataset or of any Parquet, or dropped rows, "
    "with their signals.\n\n"
    "--where takes an SQL condition as DuckDB reads it: author IS NULL, title LIKE '%море%', "
    "fetched_at >= DATE '2024-03-01', register IN ('news', 'fiction'). A text stands in single quotes.\n\n"
    "In a terminal, words that mix scripts, addresses and matches of --grep are highlighted.",
    epilog=common.examples(
        "bukvar inspect out/demo/filter --dropped --reason too_few_words --limit 5",
        "bukvar inspect out/demo/dedup --where 'cluster_size > 3 AND author IS NULL' --full",
        "bukvar inspect out/demo/dataset --host example.ru --sample 20 --seed 1",
    ),
)
@click.argument("folder", metavar="DIR")
@click.option("--dropped", is_flag=True, help="Dropped rows instead of kept documents.")
@click.option("--reason", metavar="REASON", help="Dropped rows of this reason (implies --dropped).")
@click.option("--id", "identity", metavar="HEX", help="The document of this doc_id, or beginning of one.")
@click.option("--host", "hosts", multiple=True, metavar="HOST", help="Rows of a host and the hosts below it.")
@click.option("--where", metavar="SQL", help='Condition on columns: "words < 100 AND author IS NULL".')
@click.option("--grep", metavar="REGEX", help="Only texts that match.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="N of the matching rows, by chance.")
@click.option(
    "--seed", type=int, metavar="S", help="With --sample: another seed, another sample.  [default: 0]"
)
@click.option("--count", is_flag=True, help="Print the number of rows that match instead of the rows.")
@click.option("--limit", type=click.IntRange(min=1), help="Rows shown.  [default: 10]")
@click.option("--skip", type=click.IntRange(min=0), help="Rows passed over first.  [default: 0]")
@click.option("--full", is_flag=True, help="Whole texts, and signals that are zero too.")
@common.output_options
def inspect(folder: str, **options: Any) -> None:
    from pipelines import query

    _check_options(options)
    wanted = _wanted(options)
    files = _files_of(folder, dropped=options["dropped"] or bool(options["reason"]))
    if options["count"]:
        count = query.count_rows(files, wanted)
        common.print_json({"rows": count}) if options["as_json"] else click.echo(count)
        return
    if options["sample"]:
        rows = query.sample_rows(files, wanted, options["sample"], options["seed"] or 0)
    else:
        start = options["skip"] or 0
        rows = islice(query.read_rows(files, wanted), start, start + (options["limit"] or LIMIT))
    _show(rows, options)


def _show(rows: Iterator[dict[str, Any]], options: dict[str, Any]) -> None:
    if options["as_json"]:
        common.print_json([_plain(row) for row in rows])
        return
    from pipelines.progress import make_console

    console = make_console()
    empty = True
    for row in rows:
        empty = False
        _print(console, row, options)
    if empty:
        click.echo("nothing matches", err=True)


def _check_options(options: dict[str, Any]) -> None:
    """Raise UsageError for options that contradict each other or have a wrong value."""
    from corpus.errors import UsageError

    if options["sample"] and (options["limit"] or options["skip"]):
        raise UsageError("--sample says how many rows; leave --limit and --skip out")
    if options["seed"] is not None and not options["sample"]:
        raise UsageError("--seed chooses a sample; add --sample N")
    if options["identity"] and not re.fullmatch(r"[0-9a-fA-F]{1,32}", options["identity"]):
        raise UsageError(f"--id {options['identity']}: give up to 32 hexadecimal digits")
    _check_reason(options["reason"])


def _wanted(options: dict[str, Any]) -> Wanted:
    from corpus.errors import UsageError
    from pipelines.query import Wanted

    if options["where"] is not None and not options["where"].strip():
        raise UsageError("--where: an empty condition; leave it out, or write one on columns")
    return Wanted(
        where=options["where"] or "",
        hosts=options["hosts"],
        reason=options["reason"] or "",
        identity=options["identity"] or "",
        pattern=_pattern(options["grep"]),
    )


def _files_of(folder: str, *, dropped: bool) -> list[str]:
    """Parquet files of a stage's folder or a dataset, or the one file. Raises UsageError for others."""
    from pyarrow import fs

    from corpus import storage
    from corpus.errors import UsageError
    from corpus.receipts import DROPPED
    from pipelines.layout import stages_of
    from pipelines.manifest import MANIFEST

    where = storage.join(folder, DROPPED) if dropped else folder
    kind = storage.info(where).type
    if kind == fs.FileType.File:
        if not storage.path_part(where).lower().endswith((".parquet", ".pq")):
            raise UsageError(
                f"{where}: not Parquet; `bukvar record` shows records of a crawl, any stage makes Parquet "
                "of JSONL (`bukvar identify FILE --set identify.keep=all --out DIR`)"
            )
        return [where]
    published = not dropped and storage.exists(storage.join(folder, MANIFEST))
    found = storage.list_files(storage.join(folder, "data") if published else where, recursive=published)
    files = [file for file in found if storage.path_part(file).endswith(".parquet")]
    if not files:
        stages = stages_of(folder)
        if stages:
            raise UsageError(f"{folder}: a whole run; name one stage of it: {', '.join(stages)}")
        if kind == fs.FileType.NotFound and storage.info(folder).type == fs.FileType.NotFound:
            raise UsageError(f"{folder}: no such file or folder")
        raise UsageError(f"{where}: no Parquet files here; name a stage's folder")
    return files


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
    hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(sorted(known))}"
    raise UsageError(f"--reason {reason}: no stage drops for that; {hint}")


def _pattern(text: str | None) -> re.Pattern[str] | None:
    from corpus.errors import UsageError

    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise UsageError(f"--grep {text!r}: not a regular expression ({error})") from error


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v.hex() if isinstance(v, bytes) else v for k, v in row.items()}


def _print(console: Any, row: dict[str, Any], options: dict[str, Any]) -> None:
    from pipelines.terminal import harmless

    plain = {k: harmless(v) if isinstance(v, str) else v for k, v in _plain(row).items()}
    text = plain.pop("text", None)
    console.rule(style="dim", characters="-" if console.options.ascii_only else "─")
    console.print(f"{plain.pop('doc_id', '')}  ", end="", style="bold")
    console.print(str(plain.pop("url", "")), style="blue", soft_wrap=True)
    reason, detail = plain.pop("drop", None), plain.pop("drop_detail", None)
    if reason:
        console.print(f"dropped: {reason}" + (f" ({detail})" if detail else ""), style="red")
    shown, left_out = _columns(plain, f"{detail or ''} {options['where'] or ''}", full=options["full"])
    more = [f"({left_out} more quality signals with --full)"] if left_out else []
    console.print("  ".join([*shown, *more]), style="dim", soft_wrap=True)
    if text is None:
        console.print("(text not kept: a sample per reason is)", style="dim italic")
    else:
        console.print(_highlighted(text, options), soft_wrap=True)


def _columns(row: dict[str, Any], asked: str, *, full: bool) -> tuple[list[str], int]:
    """Columns with their values, and how many are left out: of a hundred quality signals those show that
    decided or are asked for, and `_TELLING`; of all, those that say something."""
    from corpus.quality.signals import MEANING

    words = set(re.findall(r"\w+", asked))
    hidden = set() if full else {name for name in MEANING if name not in _TELLING and name not in words}
    there = {name: value for name, value in row.items() if value or (full and value is not None)}
    shown = [f"{name} {_short(value)}" for name, value in there.items() if name not in hidden]
    return shown, len(there) - len(shown)


def _short(value: Any) -> str:
    from pipelines.terminal import harmless

    return f"{value:.3g}" if isinstance(value, float) else harmless(str(value))


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
