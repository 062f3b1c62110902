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
@common.engine_options
@common.output_options
def publish(inputs: tuple[str, ...], target: str, **options: Any) -> None:
    from corpus.documents import PARQUET_ENDINGS
    from corpus.storage import base_name
    from pipelines import recipe
    from pipelines.engine import Job, run_stage
    from pipelines.execute import open_executor
    from pipelines.inputs import resolve
    from pipelines.progress import make_watch
    from pipelines.publish import finish

    stage = recipe.build("publish", recipe.parse_settings(options["settings"], "publish"))
    job = Job(stage, tuple(resolve(inputs, PARQUET_ENDINGS)), target, redo=options["redo"])
    with open_executor(options["executor"] or "ray", options["address"], options["workers"]) as executor:
        run_stage(job, executor, make_watch(quiet=options["quiet"]))
    manifest = finish(stage, target, base_name(target))
    if options["as_json"]:
        common.print_json(manifest)
    else:
        click.echo(f"{manifest.rows:,} documents in {len(manifest.files)} shards at {target}")
