"""One way of running a stage from a command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from pipelines.commands import common

if TYPE_CHECKING:
    from pipelines.account import StageResult
    from pipelines.engine import Reporter
    from pipelines.planning import Job


def run_job(
    name: str, inputs: Sequence[str], folder: str, options: dict[str, Any], settings: Sequence[str] = ()
) -> tuple[Any, StageResult]:
    """Run the stage of this name over inputs into a folder, as the common options say; `settings` come after
    those of the command line. Returns the stage and what it did.

    With --dry-run prints the plan and exits with 0. Raises the errors of `engine.run_stage`.
    """
    from corpus import storage
    from pipelines import recipe
    from pipelines.planning import plan_job
    from pipelines.plans import done_of, print_plan, stage_plan
    from pipelines.progress import make_reporter

    stage = recipe.build(name, recipe.parse_settings([*options["settings"], *settings], name))
    storage.check_writable(folder)
    job, notes = _job(stage, inputs, folder, options)
    if options["dry_run"]:
        plan = plan_job(job)
        print_plan([stage_plan(plan, (), done_of(plan))], as_json=options["as_json"])
        raise click.exceptions.Exit(0)
    reporter = make_reporter(quiet=options["quiet"])
    for note in notes:
        reporter.note(note)
    with running(options, reporter) as run:
        return stage, run(job)


@contextmanager
def running(
    options: Mapping[str, Any], reporter: Reporter, executor: str = "ray"
) -> Iterator[Callable[[Job], StageResult]]:
    """What runs jobs, one after the other, as the common options say: on one executor (the one named here
    where no option names one), counted together in --metrics."""
    from pipelines.engine import run_stage
    from pipelines.execute import processors
    from pipelines.executors import open_executor
    from pipelines.metrics import Metered

    say = None if options["quiet"] else reporter.note
    name = options["executor"] or executor
    with open_executor(name, options["address"], options["workers"], say) as opened:
        metered = Metered(reporter, lambda: processors(opened), options["metrics"])
        try:
            with metered.written():
                yield lambda job: run_stage(job, opened, metered)
        except Exception as error:
            common.show_traces(error, debug=options["debug"])
            raise


def _job(stage: Any, inputs: Sequence[str], folder: str, options: dict[str, Any]) -> tuple[Job, list[str]]:
    """The job of a stage over inputs, and what a person should know of files that are left out."""
    from pipelines import registry
    from pipelines.digests import Digests
    from pipelines.inputs import inputs_of
    from pipelines.planning import job_with

    digests = Digests(folder)
    column = options.get("text_column", "text")
    notes: list[str] = []
    found = inputs_of(registry.row_of(stage.name).reads, inputs, column, digests, folder, notes)
    return job_with(stage, found, folder, options, digests), notes
