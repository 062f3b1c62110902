"""`bukvar extract | identify | clean | filter | dedup`: one stage over inputs into a folder."""

from __future__ import annotations

from typing import Any

import click

from pipelines.commands import common


def _stage_command(name: str, text: str, example: str, *, documents: bool = True) -> click.Command:
    @common.settings_option
    @common.engine_options
    @common.output_options
    @click.option("--out", required=True, metavar="DIR", help="Output folder (or URL); opens as a dataset.")
    @click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
    def command(inputs: tuple[str, ...], **options: Any) -> None:
        _run(name, inputs, options)

    if documents:
        command = click.option(
            "--text-column", default="text", show_default=True, help="Column that holds the text."
        )(command)
    return click.command(
        name, cls=common.WithParameters, section=name, help=text, epilog=f"Example: {example}"
    )(command)


def _run(name: str, inputs: tuple[str, ...], options: dict[str, Any]) -> None:
    from pipelines import funnel, recipe
    from pipelines.engine import Job, run_stage
    from pipelines.execute import open_executor
    from pipelines.inputs import inputs_of
    from pipelines.progress import make_watch

    stage = recipe.build(name, recipe.parse_settings(options["settings"], name))
    found = tuple(inputs_of(stage, inputs))
    job = Job(stage, found, options["out"], options.get("text_column", "text"), options["redo"])
    executor_name = options["executor"] or "ray"
    with open_executor(executor_name, options["address"], options["workers"]) as executor:
        try:
            result = run_stage(job, executor, make_watch(quiet=options["quiet"]))
        except Exception as error:
            common.show_traces(error, debug=options["debug"])
            raise
    funnel.check([result])
    if options["as_json"]:
        common.print_json(result)
    else:
        funnel.print_funnel([result])
        if not result.worked:
            click.echo("nothing to do: all of it was done before", err=True)


extract = _stage_command(
    "extract",
    "Turn crawl files into documents: read records, keep what looks Russian, decode, take the main text.\n\n"
    "INPUT is files, folders, globs or URLs of crawls (WARC, ARC, WET; plain, .gz, .zst), of HTML in "
    "Parquet or JSONL (columns url and html, or as extract.url_column and extract.html_column say), of HTML "
    "files (.html, .htm, .xhtml), or of MediaWiki dumps (.xml; plain, .gz, .bz2). Its ending says what a "
    "file is, else its first bytes do.",
    "bukvar extract crawl/*.warc.gz --out docs",
    documents=False,
)
identify = _stage_command(
    "identify",
    "Say what language each text is and keep what is Russian.\n\n"
    "INPUT is Parquet or JSONL with a text column, bukvar's or anybody's.",
    "bukvar identify docs --out russian --set identify.keep=all",
)
clean = _stage_command(
    "clean",
    "Remove boilerplate lines (consent texts, cookie banners, «Читайте также») from documents.",
    "bukvar clean russian --out clean",
)
filter_ = _stage_command(
    "filter",
    "Compute quality signals (Gopher, C4, FineWeb) and drop what fails the preset's thresholds.",
    "bukvar filter clean --out good --set filter.min_words=80",
)
dedup = _stage_command(
    "dedup",
    "Drop exact and near duplicates (MinHash-LSH), keeping one document of each cluster.",
    "bukvar dedup good --out unique --set dedup.bands=14",
)
