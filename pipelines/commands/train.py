"""`bukvar train INPUT... --vocab-size N --out DIR`: a tokenizer from texts."""

from __future__ import annotations

from typing import Any

import click

from pipelines.commands import common


@click.command(
    "train",
    cls=common.WithParameters,
    section="train",
    help="Train a byte-level BPE tokenizer and write tokenizer.json, tiktoken ranks and a readable table.\n\n"
    "INPUT is Parquet, JSONL or plain text (.txt), files or folders; .gz and .zst too.",
    epilog="Example: bukvar train out/ru/dedup --vocab-size 64000 --out tokenizer",
)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--vocab-size", type=int, help="Number of tokens (train.vocab_size).")
@click.option("--out", required=True, metavar="DIR", help="Folder of the tokenizer.")
@click.option("--text-column", default="text", show_default=True, help="Column that holds the text.")
@common.settings_option
@common.engine_options
@common.output_options
def train(inputs: tuple[str, ...], vocab_size: int | None, out: str, **options: Any) -> None:
    from corpus import storage
    from pipelines import recipe
    from pipelines.engine import Job, run_stage
    from pipelines.execute import open_executor
    from pipelines.inputs import inputs_of
    from pipelines.progress import make_watch
    from pipelines.train import ABOUT

    settings = list(options["settings"])
    if vocab_size is not None:
        settings.append(f"train.vocab_size={vocab_size}")
    stage = recipe.build("train", recipe.parse_settings(settings, "train"))
    found = tuple(inputs_of("texts", inputs))
    job = Job(stage, found, out, options["text_column"], options["redo"])
    with open_executor(options["executor"] or "ray", options["address"], options["workers"]) as executor:
        try:
            result = run_stage(job, executor, make_watch(quiet=options["quiet"]))
        except Exception as error:
            common.show_traces(error, debug=options["debug"])
            raise
    about = storage.read_bytes(storage.join(out, ABOUT))
    if options["as_json"]:
        click.echo(about.decode(), nl=False)
    else:
        _print(out, about, worked=bool(result.worked))


def _print(out: str, encoded: bytes, *, worked: bool) -> None:
    import msgspec

    from pipelines.progress import size

    about = msgspec.json.decode(encoded, type=dict[str, Any])
    click.echo(
        f"{about['tokens']:,} tokens from {about['documents']:,} documents, {size(about['bytes'])}, "
        f"{about['types']:,} pretoken types: {out}/tokenizer.json"
    )
    if not worked:
        click.echo("nothing to do: it was trained before", err=True)
