"""`bukvar encode INPUT... --tokenizer T --out DIR`: documents as token ids."""

from __future__ import annotations

from typing import Any

import click

from pipelines.commands import common


@click.command(
    "encode",
    cls=common.WithParameters,
    section="encode",
    help="Write documents as token ids, in the files that trainers read, with a manifest.\n\n"
    "INPUT is Parquet or JSONL, files or folders. T is a folder of ours, a Hugging Face folder, "
    "tokenizer.json, tekken.json, tiktoken ranks, or ru-32k, ru-64k, ru-en-code-128k. Text that spells a "
    "special token is ordinary text.",
    epilog=common.examples(
        "bukvar encode out/ru/dataset --tokenizer out/ru/tokenizer --end '<|end_of_text|>' --out tokens"
    ),
)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--tokenizer", required=True, metavar="T", help="The tokenizer (encode.tokenizer).")
@click.option(
    "--format",
    "form",
    metavar="NAME",
    help="flat, megatron, datatrove, mds, litdata or parquet (encode.format).",
)
@click.option("--start", metavar="TOKEN", help="Special token before each document (encode.start).")
@click.option("--end", metavar="TOKEN", help="Special token after each document (encode.end).")
@click.option("--out", required=True, metavar="DIR", help="Folder of the token ids.")
@click.option("--text-column", default="text", show_default=True, help="Column that holds the text.")
@common.settings_option
@common.stage_options
@common.engine_options
@common.output_options
def encode(inputs: tuple[str, ...], tokenizer: str, form: str | None, out: str, **options: Any) -> None:
    import json

    from pipelines import recipe
    from pipelines.account import Run
    from pipelines.commands.jobs import run_job
    from pipelines.tokens.manifest import finish

    given = {"tokenizer": tokenizer, "format": form, "start": options["start"], "end": options["end"]}
    settings = [
        f"encode.{name}={json.dumps(value, ensure_ascii=False)}"
        for name, value in given.items()
        if value is not None
    ]
    stage: Any = recipe.build("encode", recipe.parse_settings([*options["settings"], *settings], "encode"))
    stage.check_tokenizer()
    stage, _ = run_job("encode", inputs, out, options, settings)
    manifest = finish(stage, out, Run(""))
    if options["as_json"]:
        common.print_json(manifest)
        return
    for split, one in manifest.splits.items():
        files = "1 file" if one.files == 1 else f"{one.files:,} files"
        click.echo(f"{split}: {one.tokens:,} tokens of {one.documents:,} documents in {files}")
    for split, packed in manifest.packed.items():
        click.echo(
            f"{split}: {packed.sequences:,} sequences, {packed.padding_share:.1%} of the tokens are padding, "
            f"{packed.cut_share:.1%} of the documents cut"
        )
    if manifest.dropped:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(manifest.dropped.items()))
        click.echo(f"left out: {reasons}", err=True)
    if not stage.end:
        click.echo("no end token: only the index separates documents; name one with --end", err=True)
