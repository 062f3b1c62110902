"""`bukvar verify URL`: a published dataset against its manifest."""

from __future__ import annotations

from typing import Any

import click

from pipelines.commands import common


@click.command(
    "verify",
    help="Read every file and row of a published dataset and check them against its manifest: size, SHA-256, "
    "rows, columns, digest of the texts, and that no doc_id stands twice. Of token ids (`bukvar encode`): "
    "size and SHA-256, and samples of the documents, decoded.\n\n"
    "Exit code 0: all as written; 1: something is missing, changed or too many.",
    epilog=common.examples("bukvar verify s3://corpora/ru-web"),
)
@click.argument("url")
@common.output_options
def verify(url: str, **options: Any) -> int:
    from pipelines.manifest import read_manifest
    from pipelines.terminal import harmless
    from pipelines.tokens.manifest import is_tokens
    from pipelines.verification import verify as check

    if is_tokens(url):
        return _verify_tokens(url, as_json=options["as_json"])
    faults = check(url)
    manifest = read_manifest(url)
    if options["as_json"]:
        common.print_json({"files": len(manifest.files), "rows": manifest.rows, "faults": faults})
    elif faults:
        for fault in faults:
            click.echo(harmless(fault))
        click.echo(
            f"bukvar: {len(faults)} fault{'s' * (len(faults) != 1)} in {len(manifest.files)} "
            f"file{'s' * (len(manifest.files) != 1)}; delete those that are named and publish again",
            err=True,
        )
    else:
        click.echo(f"{len(manifest.files)} files, {manifest.rows:,} documents: as the manifest says")
    return 1 if faults else 0


def _verify_tokens(url: str, *, as_json: bool) -> int:
    from pipelines.tokens.manifest import read_manifest, verify

    faults = verify(url)
    manifest = read_manifest(url)
    samples = sum(len(entry.samples) for entry in manifest.shards)
    if as_json:
        common.print_json({"files": len(manifest.shards), "tokens": manifest.tokens, "faults": faults})
    elif faults:
        for fault in faults:
            click.echo(fault)
        click.echo("bukvar: the token ids differ from their manifest; encode again with --redo", err=True)
    else:
        click.echo(
            f"{len(manifest.shards)} files, {manifest.tokens:,} tokens, "
            f"{samples} document{'s' * (samples != 1)} decoded: as the manifest says"
        )
    return 1 if faults else 0
