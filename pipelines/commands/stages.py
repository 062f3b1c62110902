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
    epilog = f"Example: {row.example}" if row.example else None
    return click.command(row.name, cls=common.WithParameters, section=row.name, help=text, epilog=epilog)(
        command
    )


def _run(row: StageRow, inputs: tuple[str, ...], options: dict[str, Any]) -> None:
    from pipelines import funnel, recipe
    from pipelines.engine import Job, run_stage
    from pipelines.execute import open_executor
    from pipelines.inputs import inputs_of
    from pipelines.progress import make_watch

    stage = recipe.build(row.name, recipe.parse_settings(options["settings"], row.name))
    found = tuple(inputs_of(row.reads, inputs))
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
