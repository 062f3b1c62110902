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
    epilog=common.examples("bukvar train out/ru/dedup --vocab-size 64000 --out tokenizer"),
)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--vocab-size", type=int, help="Number of tokens (train.vocab_size).")
@click.option("--out", required=True, metavar="DIR", help="Folder of the tokenizer.")
@click.option("--text-column", default="text", show_default=True, help="Column that holds the text.")
@common.settings_option
@common.stage_options
@common.engine_options
@common.output_options
def train(inputs: tuple[str, ...], vocab_size: int | None, out: str, **options: Any) -> None:
    from corpus import storage
    from pipelines.commands.jobs import run_job
    from pipelines.train import ABOUT

    size = [f"train.vocab_size={vocab_size}"] if vocab_size is not None else []
    stage, result = run_job("train", inputs, out, options, size)
    about = storage.read_bytes(storage.join(out, ABOUT))
    if options["as_json"]:
        click.echo(about.decode(), nl=False)
    else:
        _print(out, about, len(stage.specials()), worked=bool(result.worked))


def _print(out: str, encoded: bytes, specials: int, *, worked: bool) -> None:
    import msgspec

    from pipelines.progress import size

    about = msgspec.json.decode(encoded, type=dict[str, Any])
    click.echo(
        f"{about['tokens'] + specials:,} tokens, {specials} of them special, "
        f"from {about['documents']:,} documents, {size(about['bytes'])}, "
        f"{about['types']:,} pretoken types: {out}/tokenizer.json"
    )
    if not worked:
        click.echo("nothing to do: it was trained before", err=True)
