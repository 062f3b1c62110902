"""`bukvar report RUN`: one self-contained HTML file."""

from __future__ import annotations

from typing import Any

import click

from pipelines.commands import common


@click.command(
    "report",
    help="Write a run's report as one HTML file: funnel, reasons with samples, signals, tokenizer.",
    epilog="Example: bukvar report out/demo --out demo.html",
)
@click.argument("folder", metavar="RUN")
@click.option("--out", metavar="FILE", help="Where to write it (default: RUN/report.html).")
@common.output_options
def report(folder: str, out: str | None, **options: Any) -> None:
    from corpus import storage
    from pipelines.report import write_report

    target = out or storage.join(folder, "report.html")
    write_report(folder, target)
    if options["as_json"]:
        common.print_json({"report": target})
    else:
        click.echo(target)
