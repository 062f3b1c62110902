"""`bukvar mix RECIPE --out DIR`: what a training run takes of what, planned, then written shuffled."""

from __future__ import annotations

from typing import Any

import click

from pipelines.commands import common, jobs


@click.command(
    "mix",
    help="Mix documents of several sources by weights and budgets, and write them shuffled, by a seed.\n\n"
    "RECIPE is a TOML file: sources (inputs, epochs, cluster_size, by), phases (budget, weights), seed, unit "
    "(tokens or documents), tokenizer. The plan comes first: what each phase takes of each source, how often "
    "it repeats, what is left unused. --dry-run ends there. `bukvar encode DIR` makes token ids of it.",
    epilog=common.examples("bukvar mix mix.toml --out mixed --dry-run"),
)
@click.argument("recipe", metavar="RECIPE")
@click.option("--out", required=True, metavar="DIR", help="Folder of the shuffled documents.")
@click.option("--text-column", default="text", show_default=True, help="Column that holds the text.")
@common.stage_options
@common.engine_options
@common.output_options
def mix(recipe: str, out: str, **options: Any) -> None:
    import tempfile

    from pipelines.mix.run import finished, job_of, plan_of
    from pipelines.progress import make_reporter

    reporter = make_reporter(quiet=options["quiet"])
    job = job_of(recipe, out, options)
    known = finished(job)
    if options["dry_run"] and not known:
        with tempfile.TemporaryDirectory(prefix="bukvar-mix-") as folder:
            job = job_of(recipe, folder, options, plan_only=True)
            with jobs.running(options, reporter, "inline") as run:
                run(job)
            _show(plan_of(folder), as_json=options["as_json"])
        return
    if options["dry_run"]:
        _show(plan_of(out), as_json=options["as_json"])
        return
    with jobs.running(options, reporter) as run:
        if not known:
            run(job_of(recipe, out, options, plan_only=True))
            if not options["as_json"]:
                _show(plan_of(out), as_json=False)
        result = run(job)
    if options["as_json"] or known:
        _show(plan_of(out), as_json=options["as_json"])
    click.echo(f"{result.rows_out:,} documents, shuffled: {out}", err=True)


def _show(plan: Any, *, as_json: bool) -> None:
    """Print a plan: what is taken by phase and source, then what the sources hold."""
    if as_json:
        common.print_json(plan)
        return
    from rich.table import Table

    from pipelines.progress import make_console

    console = make_console()
    grid = Table(box=None, padding=(0, 2, 0, 0))
    heads = ("phase", "source", "quota", plan.unit, "share", "documents", "passes")
    for name in dict.fromkeys(heads):
        grid.add_column(name, justify="left" if name in ("phase", "source") else "right", no_wrap=True)
    for phase, taken in plan.phases.items():
        total = sum(one.amount for one in taken.values()) or 1
        for name, one in taken.items():
            cells = [phase, name, f"{one.quota:,}", f"{one.amount:,}", f"{one.amount / total:.1%}"]
            cells += [f"{one.documents:,}"] if plan.unit != "documents" else []
            grid.add_row(*cells, f"{one.epochs:.2f}")
    console.print(grid)
    grid = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("source", "documents", f"{plan.unit} a pass", "repeats", "unused", "never", "dropped"):
        grid.add_column(name, justify="left" if name == "source" else "right", no_wrap=True)
    for name, whole in plan.sources.items():
        gone = sum(whole.dropped.values())
        grid.add_row(
            name,
            f"{whole.documents:,}",
            f"{whole.pass_amount:,}",
            f"{whole.repeats:.2f}",
            f"{whole.unused_amount:,}",
            f"{whole.never:,}",
            f"{gone:,}",
        )
    console.print(grid)
    for text in plan.remarks:
        click.echo(text, err=True)
