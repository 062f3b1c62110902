"""`bukvar report RUN`: one self-contained HTML file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from pipelines.commands import common

if TYPE_CHECKING:
    from pipelines.compare import Comparison

#: Settings and pairs of fates that the summary names.
SHOWN: Final = 12
#: Kinds of changed fates (`Comparison.groups`) as the summary calls them.
_KINDS: Final = {
    "lost": "kept in A, dropped in B:",
    "won": "dropped in A, kept in B:",
    "rule": "dropped in both, by another rule:",
    "met": "met by one of the runs only:",
}


@click.command(
    "report",
    help="Write a run's report as one HTML file: funnel, reasons with samples, signals, tokenizer.\n\n"
    "With --compare, two runs side by side: recipes, funnels, figures, and the documents that one run "
    "kept and the other dropped, with the reasons.",
    epilog=common.examples(
        "bukvar report out/demo --out demo.html",
        "bukvar report --compare out/demo out/stricter --out compare.html",
    ),
)
@click.argument("folders", metavar="RUN [OTHER]", nargs=-1, required=True)
@click.option("--compare", is_flag=True, help="Two runs side by side.")
@click.option(
    "--out", metavar="FILE", help="Where to write it (default: report.html or compare.html in RUN)."
)
@click.option(
    "--crawl",
    multiple=True,
    metavar="PATH",
    help="Where the crawl lies now, if not where the recipe says: pages are shown beside their texts.",
)
@common.output_options
def report(folders: tuple[str, ...], compare: bool, out: str | None, **options: Any) -> None:
    from corpus import globs, storage

    if len(folders) != 1 + compare:
        raise click.UsageError("--compare takes two runs" if compare else "one run; two with --compare")
    if compare:
        _compare(folders, out or storage.join(folders[0], "compare.html"), options)
        return
    from corpus.errors import UsageError
    from pipelines.report import write_report

    for path in options["crawl"]:
        if not any(map(storage.exists, globs.expand(path))):
            raise UsageError(f"--crawl {path}: no such file or folder")
    target = out or storage.join(folders[0], "report.html")
    write_report(folders[0], target, options["crawl"])
    if options["as_json"]:
        common.print_json({"report": target})
    else:
        click.echo(target)


def _compare(folders: tuple[str, ...], target: str, options: dict[str, Any]) -> None:
    from pipelines.compare import compare, write_comparison

    found = compare(*folders)
    write_comparison(found, target)
    if options["as_json"]:
        common.print_json({**found.plain(), "report": target})
        return
    if not options["quiet"]:
        _print(found)
    click.echo(target)


def _print(found: Comparison) -> None:
    """A short summary for a terminal."""
    click.echo(f"A  {found.first.title}\nB  {found.second.title}")
    click.echo("\nrecipe, A -> B" if found.settings else "\nrecipes and versions are the same")
    for key, before, after in found.settings[:SHOWN]:
        click.echo(f"  {key}: {_cut(before)} -> {_cut(after)}")
    if len(found.settings) > SHOWN:
        click.echo(f"  and {len(found.settings) - SHOWN} more settings")
    click.echo("\ndocuments after each stage, A -> B where they differ")
    for stage, one, other in found.stages():
        if any(side and side.rows_in for side in (one, other)):
            counts = [f"{side.rows_out:,}" if side else "-" for side in (one, other)]
            click.echo(
                f"  {stage:<13} {counts[0]:>12}" + (f" -> {counts[1]}" if len(set(counts)) > 1 else "")
            )
    first, second = (found.kept_in_one(first=first) for first in (True, False))
    changed = f", {found.other_text:,} of them with another text" if found.other_text else ""
    click.echo(f"\nkept in both {found.kept_in_both:,}{changed}; in A alone {first:,}, in B alone {second:,}")
    for kind, rows in found.groups():
        click.echo(_KINDS[kind])
        for moved in [one.move for one in rows][:SHOWN]:
            click.echo(f"  {moved.count:>8,}  {moved.first.said()} -> {moved.second.said()}")
        if len(rows) > SHOWN:
            click.echo(f"  and {len(rows) - SHOWN} more pairs of fates")
    click.echo()


def _cut(value: str) -> str:
    return (value if len(value) <= 60 else value[:57] + "...") or "not set"
