"""`bukvar record FILE:OFFSET`: the record that a document was made of."""

from __future__ import annotations

import sys
from typing import Any

import click

from pipelines.commands import common


@click.command(
    "record",
    help="Show the crawl records at FILE:OFFSET (the column `source` of a document, with the folder of the "
    "crawl before it): headers, and the page as the server sent it.\n\n"
    "With --out, copy them into one WARC file: a few pages to try a setting on, or to report.",
    epilog=common.examples("bukvar record crawl/00000.warc.gz:18734 crawl/00003.warc.gz:9 --out few.warc.gz"),
)
@click.argument("places", nargs=-1, required=True, metavar="FILE:OFFSET...")
@click.option("--out", metavar="FILE", help="Write the records there, as WARC.")
@click.option("--payload", is_flag=True, help="Print the payload alone, byte for byte.")
@common.output_options
def record(places: tuple[str, ...], **options: Any) -> None:
    from corpus.extract.records import copy_records, record_at
    from pipelines.terminal import harmless

    if options["out"]:
        count = copy_records(places, options["out"])
        if not options["quiet"]:
            click.echo(f"{count} record{'s' if count > 1 else ''} in {options['out']}", err=True)
        return
    for place in places:
        found = record_at(place)
        if options["payload"]:
            sys.stdout.buffer.write(found.payload)
            sys.stdout.flush()
        elif options["as_json"]:
            common.print_json(
                {"kind": found.kind, "url": found.url, "headers": found.headers, "http": found.http}
            )
        else:
            for name, value in (*found.headers, *found.http):
                click.echo(harmless(f"{name}: {value}"))
            click.echo(harmless(f"\n{found.payload.decode('utf-8', 'replace')}"))
