"""`bukvar export TOKENIZER`: a vocabulary in other formats, and the proof that ids are equal in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from pipelines.commands import common


@click.command(
    "export",
    help="Write a vocabulary as tokenizer.json, tiktoken ranks, a readable table (all in --out) and GGUF "
    "metadata (vocabulary.gguf, llama.cpp's `llama-bpe`). TOKENIZER is a folder, a file or one of ru-32k, "
    "ru-64k and ru-en-code-128k, which come with the package.\n\n"
    "With --check, encode texts by our encoder and by every runtime that is installed (tokenizers, tiktoken, "
    "gigatoken, llama-cpp-python) and compare all ids: exit code 1 if any differs.",
    epilog=common.examples("bukvar export ru-32k --out exported --check out/ru/dedup"),
)
@click.argument("tokenizer")
@click.option("--out", metavar="DIR", help="Folder for the files.")
@click.option("--check", "texts", multiple=True, metavar="INPUT", help="Texts to compare ids on.")
@click.option("--text-column", default="text", show_default=True, help="Column that holds the text.")
@common.output_options
def export(tokenizer: str, out: str | None, texts: tuple[str, ...], **options: Any) -> int:
    from pathlib import Path

    from corpus.errors import UsageError
    from tokenizer.export import check, write_gguf
    from tokenizer.vocabulary import Vocabulary

    if not out and not texts:
        raise UsageError("nothing to do: name --out DIR, --check INPUT or both")
    try:
        vocabulary = Vocabulary.load(tokenizer)
    except (ValueError, OSError) as error:
        raise UsageError(" ".join(str(error).split())) from error
    if out:
        vocabulary.save(out)
        write_gguf(vocabulary, Path(out) / "vocabulary.gguf")
        click.echo(f"{vocabulary.size:,} tokens in {out}", err=True)
    if not texts:
        return 0
    result = check(vocabulary, _texts(texts, options["text_column"]))
    if options["as_json"]:
        common.print_json({"ok": result.ok, **asdict(result)})
    else:
        click.echo(str(result))
    return 0 if result.ok else 1


def _texts(inputs: tuple[str, ...], column: str) -> Iterator[str]:
    from pipelines.inputs import inputs_of
    from pipelines.texts import read_texts

    for source in inputs_of("texts", inputs, column):
        for batch in read_texts(source):
            yield from batch.column("text").drop_null().to_pylist()
