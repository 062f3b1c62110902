"""`bukvar takedown DATASET`: documents out of a published dataset, for good."""

from __future__ import annotations

from typing import Any

import click

from pipelines.commands import common


@click.command(
    "takedown",
    help="Remove documents from a published dataset and keep them out of every later version.\n\n"
    "Only the files that hold them are rewritten. Requests are kept in DATASET/tombstones.jsonl, which "
    "publish obeys; card and manifest get a new version. A phrase is kept there as it is written: give an id "
    "or an address where the phrase itself must not stay.",
    epilog=common.examples(
        "bukvar takedown out/ru/dataset --url https://example.ru/page --reason 'on request'"
    ),
)
@click.argument("dataset")
@click.option(
    "--url",
    "urls",
    multiple=True,
    metavar="URL",
    help="The document of this address; scheme, fragment and last slash do not count.",
)
@click.option("--host", "hosts", multiple=True, metavar="HOST", help="All of a host and the hosts below it.")
@click.option("--id", "ids", multiple=True, metavar="HEX", help="The document of this doc_id.")
@click.option("--phrase", "phrases", multiple=True, help="All documents in which this stands.")
@click.option("--list", "lists", multiple=True, metavar="FILE", help="A file with an address a line.")
@click.option("--reason", default="", help="What the card says of it.")
@common.output_options
def takedown(dataset: str, **options: Any) -> None:
    from corpus import storage
    from pipelines import hosts
    from pipelines.takedown import take_down
    from pipelines.tombstones import Tombstone

    for host in options["hosts"]:
        try:
            hosts.forms(host)
        except ValueError as error:
            raise click.UsageError(f"--host {error}") from error
    reason = options["reason"]
    stones = [
        *(Tombstone("url", value, reason) for value in options["urls"]),
        *(Tombstone("host", value.lower(), reason) for value in options["hosts"]),
        *(Tombstone("id", value.lower(), reason) for value in options["ids"]),
        *(Tombstone("phrase", value, reason) for value in options["phrases"]),
    ]
    for location in options["lists"]:
        lines = storage.read_bytes(location).decode("utf-8-sig", "replace").splitlines()
        stones += [Tombstone("url", line.strip(), reason) for line in lines if line.strip()]
    if not stones:
        raise click.UsageError("name what is to go: --url, --host, --id, --phrase or --list")
    change = take_down(dataset, stones, reason)
    if options["as_json"]:
        common.print_json(change)
    elif not change.rows:
        click.echo("no document of this dataset is meant; later versions will leave it out", err=True)
    else:
        click.echo(
            f"{change.rows:,} {'document' if change.rows == 1 else 'documents'} removed, {change.files} "
            f"{'file' if change.files == 1 else 'files'} rewritten: "
            f"{dataset} is version {change.version}"
        )
