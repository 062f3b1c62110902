"""`bukvar publish INPUT... --to URL`: documents to a dataset of even shards with manifest and card."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from pipelines.commands import common


@click.command(
    "publish",
    cls=common.WithParameters,
    section="publish",
    help="Write documents as a dataset: shards of even size, manifest with checksums, card.\n\n"
    "INPUT is Parquet (a stage's folder, say); URL a folder, s3://, gs://, hdfs://, or hf://datasets/OWNER/NAME.\n\n"
    "To the hub a folder that publish wrote goes as it is; other documents are published into --work first.",
    epilog=common.examples("bukvar publish out/ru/dedup --to s3://corpora/ru-web --set publish.shard_mb=256"),
)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--to", "target", required=True, metavar="URL", help="Where the dataset goes.")
@click.option(
    "--work",
    default="",
    metavar="DIR",
    help="With hf://: where the dataset is made (default: ~/.cache/bukvar/hub/OWNER--NAME).",
)
@common.settings_option
@common.stage_options
@common.engine_options
@common.output_options
def publish(inputs: tuple[str, ...], target: str, work: str, **options: Any) -> None:
    from pipelines import hub

    if hub.is_hub(target):
        _to_hub(inputs, target, work, options)
        return
    if work:
        raise click.UsageError("--work goes with --to hf://")
    manifest = _publish(inputs, target, options)
    if options["as_json"]:
        common.print_json(manifest)
    else:
        click.echo(f"{manifest.rows:,} documents in {_shards(manifest)} at {target}")


def _publish(inputs: tuple[str, ...], folder: str, options: dict[str, Any]) -> Any:
    from corpus.storage import base_name
    from pipelines.account import Run
    from pipelines.commands.jobs import run_job
    from pipelines.publish import finish

    stage, _ = run_job("publish", inputs, folder, options)
    return finish(stage, folder, Run(base_name(folder)))


def _to_hub(inputs: tuple[str, ...], target: str, work: str, options: dict[str, Any]) -> None:
    from pipelines import hub, recipe
    from pipelines.manifest import is_dataset, read_manifest

    hub.check(target)
    folder = work or _default_work(hub.repository(target))
    if len(inputs) == 1 and is_dataset(inputs[0]):
        folder = inputs[0]
    else:
        _publish(inputs, folder, options)
    stage: Any = recipe.build("publish", recipe.parse_settings(options["settings"], "publish"))
    sent = hub.send(
        folder, target, _quiet if options["quiet"] else _say, private=stage.private, redo=options["redo"]
    )
    manifest = read_manifest(folder)
    if options["as_json"]:
        common.print_json(sent)
    else:
        click.echo(
            f"{manifest.rows:,} documents in {_shards(manifest)} at {target}: {sent.files} files "
            f"sent, {sent.unchanged} were there (kept in {folder})"
        )


def _shards(manifest: Any) -> str:
    return f"{len(manifest.files)} shard{'s' if len(manifest.files) != 1 else ''}"


def _say(line: str) -> None:
    click.echo(line, err=True)


def _quiet(line: str) -> None: ...


def _default_work(name: str) -> str:
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return str(Path(cache) / "bukvar" / "hub" / name.replace("/", "--"))
