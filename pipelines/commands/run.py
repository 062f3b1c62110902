"""`bukvar run RECIPE`: the whole main job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipelines.commands import common

if TYPE_CHECKING:
    from pipelines.metrics import Utilisation
    from pipelines.pipeline import RunResult


@click.command(
    "run",
    cls=common.WithParameters,
    section=("input", "run"),
    help="Do a whole recipe: crawl files in, dataset, tokenizer and report out.\n\n"
    "RECIPE is a TOML file, or the name of a bundled recipe (demo, ru-web). A run that was stopped or "
    "killed goes on where it was when the same command is given again; with nothing to do it says so.\n\n"
    "Parameters of the sections `input` and `run` stand below, those of a stage's section in the help of its "
    "command (`bukvar filter --help`). "
    "--dry-run shows the plan.",
    epilog=common.examples(
        "bukvar run ru-web --set input.paths=crawl/ --set filter.min_words=80 --out out/ru"
    ),
)
@click.argument("recipe")
@click.option("--out", metavar="DIR", help="Folder of the run (default: the recipe's, or out/NAME).")
@common.settings_option
@common.engine_options
@common.output_options
def run(recipe: str, **options: Any) -> None:
    import msgspec

    from pipelines import recipe as recipes
    from pipelines.digests import Digests
    from pipelines.execute import processors
    from pipelines.executors import open_executor
    from pipelines.metrics import Metered
    from pipelines.pipeline import first_inputs, plan_recipe, run_recipe
    from pipelines.plans import print_plan
    from pipelines.progress import make_reporter

    loaded = recipes.load(recipe, options["settings"])
    where = loaded.run
    folder = options["out"] or where.out or f"out/{loaded.name}"
    if options["dry_run"]:
        inputs = first_inputs(loaded, folder, Digests(folder))
        print_plan(plan_recipe(loaded, folder, inputs, look=True), as_json=options["as_json"])
        return
    address = options["address"] or where.address or None
    workers = options["workers"] or where.workers or None
    reporter = make_reporter(quiet=options["quiet"])
    say = None if options["quiet"] else reporter.note
    with open_executor(options["executor"] or where.executor, address, workers, say) as executor:
        metered = Metered(reporter, lambda: processors(executor), options["metrics"] or where.metrics)
        try:
            with metered.written():
                result = run_recipe(loaded, folder, executor, metered, redo=options["redo"])
        except Exception as error:
            common.show_traces(error, debug=options["debug"])
            raise
    if options["as_json"]:
        common.print_json(msgspec.to_builtins(result) | {"utilisation": metered.utilisation()})
    else:
        _print(result, metered.utilisation())


def _print(result: RunResult, used: Utilisation) -> None:
    from pipelines.funnel import print_funnel

    print_funnel(result.stages)
    click.echo()
    if not result.worked:
        click.echo("nothing to do: all of it was done before")
    else:
        click.echo(f"{'time':<10} {used.line()}")
    for title in ("dataset", "tokenizer", "evaluation", "report"):
        path = getattr(result, title)
        if path:
            click.echo(f"{title:<10} {path}")
