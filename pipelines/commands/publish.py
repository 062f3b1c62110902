"""`bukvar publish INPUT... --to URL`: documents to a dataset of even shards with manifest and card."""

from __future__ import annotations

from typing import Any

import click

from pipelines.commands import common


@click.command(
    "publish",
    cls=common.WithParameters,
    section="publish",
    help="Write documents as a dataset: shards of even size, manifest with checksums, card.\n\n"
    "INPUT is Parquet (a stage's folder, say); URL a folder or s3://, gs://, hdfs://.",
    epilog="Example: bukvar publish out/ru/dedup --to s3://corpora/ru-web --set publish.shard_mb=256",
)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--to", "target", required=True, metavar="URL", help="Where the dataset goes.")
@common.settings_option
@common.stage_options
@common.engine_options
@common.output_options
def publish(inputs: tuple[str, ...], target: str, **options: Any) -> None:
    from corpus.storage import base_name
    from pipelines.account import Run
    from pipelines.card import finish
    from pipelines.commands.jobs import run_job

    stage, _ = run_job("publish", inputs, target, options)
    manifest = finish(stage, target, Run(base_name(target)))
    if options["as_json"]:
        common.print_json(manifest)
    else:
        click.echo(f"{manifest.rows:,} documents in {len(manifest.files)} shards at {target}")
