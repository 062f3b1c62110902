"""`bukvar STAGE INPUT... --out DIR` for each stage over documents: made from its row and its dataclass."""

from __future__ import annotations

import inspect
from typing import Any

import click

from pipelines.commands import common
from pipelines.registry import StageRow


def command_of(row: StageRow) -> click.Command:
    """The command of a stage that has none of its own. Its class's docstring is the help."""

    @common.settings_option
    @common.stage_options
    @common.engine_options
    @common.output_options
    @click.option("--out", required=True, metavar="DIR", help="Output folder (or URL); opens as a dataset.")
    @click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
    def command(inputs: tuple[str, ...], **options: Any) -> None:
        _run(row, inputs, options)

    if row.reads != "crawls":
        command = click.option(
            "--text-column", default="text", show_default=True, help="Column that holds the text."
        )(command)
    text = inspect.getdoc(row.load()) or row.summary
    if row.reads == "documents":
        text += "\n\nINPUT is Parquet or JSONL with a text column, bukvar's or anybody's."
    epilog = common.examples(row.example) if row.example else None
    return click.command(row.name, cls=common.WithParameters, section=row.name, help=text, epilog=epilog)(
        command
    )


def _run(row: StageRow, inputs: tuple[str, ...], options: dict[str, Any]) -> None:
    from pipelines import funnel
    from pipelines.commands.jobs import run_job

    _, result = run_job(row.name, inputs, options["out"], options)
    funnel.check([result])
    if options["as_json"]:
        common.print_json(result)
    else:
        funnel.print_funnel([result])
        if not result.worked:
            click.echo("nothing to do: all of it was done before", err=True)
