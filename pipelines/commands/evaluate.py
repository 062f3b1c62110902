"""`bukvar evaluate TOKENIZER... --text INPUT...`: tokenizers side by side on the same texts."""

from __future__ import annotations

from typing import Any

import click

from pipelines.commands import common


@click.command(
    "evaluate",
    help="Compare tokenizers on texts: tokens per word, characters per token, words in one token, "
    "morpheme boundaries, consistency of a lemma's forms, unused tokens, what does not come back.\n\n"
    "TOKENIZER is a folder or file: ours, a Hugging Face folder, tokenizer.json, tekken.json, *.tiktoken, "
    "sentencepiece's .model, or ru-32k, ru-64k, ru-en-code-128k of the package. Texts should "
    "be none that a tokenizer was trained on.",
    epilog=common.examples(
        "bukvar evaluate tokenizer llama3/ --text news=news.parquet --text fiction=fiction/"
    ),
)
@click.argument("tokenizers", nargs=-1, required=True, metavar="TOKENIZER...")
@click.option(
    "--text",
    "texts",
    multiple=True,
    required=True,
    metavar="[NAME=]INPUT",
    help="Texts (Parquet, JSONL, .txt), by domain; may be given several times.",
)
@click.option(
    "--lemmas",
    default="",
    metavar="FILE",
    help="Lines lemma<TAB>morph|morph|... (or morph:TYPE/morph:TYPE/...), for boundaries.",
)
@click.option("--text-column", default="text", show_default=True, help="Column that holds the text.")
@click.option("--max-mb", default=50, show_default=True, help="Text read at most of each domain, in MB.")
@click.option("--scalars", is_flag=True, help="Also encode and decode every Unicode scalar.")
@click.option(
    "--consistency/--no-consistency",
    default=None,
    help="How alike the forms of a lemma are cut, over the Russian lemmas of the texts; needs pymorphy3 "
    "(default: if it is installed; some seconds).",
)
@click.option("--out", metavar="DIR", help="Also write evaluation.json and the plots there.")
@common.output_options
def evaluate(tokenizers: tuple[str, ...], texts: tuple[str, ...], **options: Any) -> None:
    import msgspec

    from corpus import storage
    from pipelines.evaluate import NO_PLOTS, RESULT, score

    domains = {}
    for argument in texts:
        name, path = _named(argument)
        domains[name] = _read(path, options["text_column"], options["max_mb"] * 1_000_000)
    result, plots = score(
        tokenizers,
        domains,
        options["lemmas"],
        scalars=options["scalars"],
        consistency=options["consistency"],
    )
    if options["out"]:
        storage.write_bytes(storage.join(options["out"], RESULT), result)
        if not plots:
            click.echo(f"bukvar: {NO_PLOTS}", err=True)
        for name, plot in plots.items():
            storage.write_bytes(storage.join(options["out"], name), plot.encode())
    if options["as_json"]:
        click.echo(result.decode(), nl=False)
    else:
        print_rows(msgspec.json.decode(result)["rows"])
    failed = msgspec.json.decode(result)["failed"]
    for label, message in failed.items():
        click.echo(f"bukvar: {label} is left out: {message}", err=True)
    if failed:
        raise click.exceptions.Exit(1)


def _named(argument: str) -> tuple[str, str]:
    from corpus import storage

    name, equals, path = argument.partition("=")
    if equals and not storage.is_url(argument) and "/" not in name:
        return name, path
    return storage.base_name(argument).partition(".")[0], argument


def _read(path: str, column: str, most: int) -> list[str]:
    from pipelines.inputs import inputs_of
    from pipelines.texts import read_texts

    texts: list[str] = []
    size = 0
    for source in inputs_of("texts", [path], column):
        for batch in read_texts(source):
            for text in batch.column("text").drop_null().to_pylist():
                texts.append(text)
                size += len(text.encode())
                if size >= most:
                    return texts
    return texts


#: Columns of the second table; the first has the rest.
_SECOND = ("P", "R", "F1", "same stem", "split", "Rényi", "unused", "seldom", "lost")
#: Width where stdout is no terminal: enough for a dozen domains.
_WIDTH = 240
#: Spaces between two columns.
_GAP = 2


def print_rows(rows: list[dict[str, Any]]) -> None:
    """Print figures on stdout as two tables: tokens and words; boundaries, forms and use."""
    from pipelines.progress import make_console

    console = make_console()
    if not console.is_terminal:
        console.width = _WIDTH
    names = list(rows[0]) if rows else []
    for part in ([n for n in names if n not in _SECOND], ["tokenizer", *(n for n in names if n in _SECOND)]):
        for some in fitting(rows, part, console.width):
            console.print(_grid(rows, some))


def fitting(rows: list[dict[str, Any]], names: list[str], width: int) -> list[list[str]]:
    """Columns in groups that fit a terminal's width, the first column in each; one column at least beside
    it."""
    from pipelines.templates import figure

    wide = {name: max(len(name), *(len(figure(row[name])) for row in rows)) + _GAP for name in names}
    first, *others = names
    groups = [[first]]
    for name in others:
        if len(groups[-1]) > 1 and sum(wide[n] for n in groups[-1]) + wide[name] - _GAP > width:
            groups.append([first])
        groups[-1].append(name)
    return groups


def _grid(rows: list[dict[str, Any]], names: list[str]) -> Any:
    from rich.table import Table

    from pipelines.templates import figure

    grid = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False)
    for name in names:
        grid.add_column(name, justify="left" if name == "tokenizer" else "right", no_wrap=True)
    for row in rows:
        grid.add_row(*(figure(row[name]) for name in names))
    return grid
