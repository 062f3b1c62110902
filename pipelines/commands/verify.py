"""`bukvar verify URL`: a published dataset against its manifest."""

from __future__ import annotations

from typing import Any

import click

from pipelines.commands import common


@click.command(
    "verify",
    help="Read every file and row of a published dataset and check them against its manifest: size, SHA-256, "
    "rows, columns, digest of the texts, and that no doc_id stands twice.\n\n"
    "Exit code 0: all as written; 1: something is missing, changed or too many.",
    epilog="Example: bukvar verify s3://corpora/ru-web",
)
@click.argument("url")
@common.output_options
def verify(url: str, **options: Any) -> int:
    from pipelines.manifest import read_manifest
    from pipelines.manifest import verify as check

    faults = check(url)
    manifest = read_manifest(url)
    if options["as_json"]:
        common.print_json({"files": len(manifest.files), "rows": manifest.rows, "faults": faults})
    elif faults:
        for fault in faults:
            click.echo(fault)
        click.echo(f"bukvar: {len(faults)} of {len(manifest.files)} files differ; publish again", err=True)
    else:
        click.echo(f"{len(manifest.files)} files, {manifest.rows:,} documents: as the manifest says")
    return 1 if faults else 0
