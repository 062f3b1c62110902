"""What every command shares: its common options, its help on parameters, how it prints."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from pipelines import command_log
from pipelines.command_log import LEVELS

F = TypeVar("F", bound=Callable[..., Any])


class WithParameters(click.Command):
    """A command whose help lists the parameters of recipe sections, read from the sections' dataclasses."""

    def __init__(self, *args: Any, section: str | Sequence[str], **kwargs: Any) -> None:
        self.sections = (section,) if isinstance(section, str) else tuple(section)
        super().__init__(*args, **kwargs)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for section in self.sections:
            with formatter.section(f"Parameters (--set {section}.key=value, or [{section}] in a recipe)"):
                formatter.write_dl(_parameters(section))
        super().format_epilog(ctx, formatter)


def _parameters(section: str) -> list[tuple[str, str]]:
    """Parameters of a recipe section, each with its meaning and default."""
    from pipelines.recipe import section_class

    rows = []
    for field in dataclasses.fields(section_class(section)):
        default: Any = "" if field.default is dataclasses.MISSING else field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        rows.append((f"{section}.{field.name}", f"{field.metadata.get('help', '')} [{shown(default)}]"))
    return rows


def named_values(command: click.Command) -> click.Command:
    """The command with one name for the values of one type in its help, whatever click calls the type."""
    for option in command.params:
        if isinstance(option, click.Option) and option.metavar is None:
            if option.name == "text_column":
                option.metavar = "COLUMN"
            elif isinstance(option.type, click.types.IntParamType) and not option.count:
                option.metavar = "N"
            elif isinstance(option.type, click.types.FloatParamType):
                option.metavar = "NUMBER"
    for below in getattr(command, "commands", {}).values():
        named_values(below)
    return command


def shown(value: Any) -> str:
    """A default as a person reads it."""
    if isinstance(value, tuple):
        return (", ".join(map(str, value)) or "none") if len(value) <= 12 else f"{len(value)} values"
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "not set"
    return str(value) if value != "" else "empty"


def examples(*commands: str) -> str:
    """What a help ends with: command lines that can be copied, each on a line of its own, none of them
    wrapped."""
    title = "Examples" if len(commands) > 1 else "Example"
    return "\b\n" + "\n".join([f"{title}:", *(f"  {one}" for one in commands)])


def settings_option(function: F) -> F:
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="SECTION.KEY=VALUE",
        help="Set a parameter; may be given several times.",
    )(function)


def engine_options(function: F) -> F:
    """--executor, --address, --workers, --metrics, --redo, --dry-run."""
    options = [
        click.option(
            "--executor",
            type=click.Choice(["ray", "inline"]),
            help="Where tasks run: Ray (the default; started here unless --address) or this process.",
        ),
        click.option("--address", metavar="HOST:PORT", help="Ray cluster to join, for example auto."),
        click.option(
            "--workers", type=click.IntRange(min=1), help="Tasks at a time here (default: one per processor)."
        ),
        click.option(
            "--metrics",
            default="",
            metavar="FILE",
            help="Write Prometheus metrics here every few seconds; http://HOST:PORT serves them.",
        ),
        click.option("--redo", is_flag=True, help="Redo what other parameters made in the output folder."),
        click.option("--dry-run", is_flag=True, help="Say what would be done, find mistakes, do nothing."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def stage_options(function: F) -> F:
    """--fail-if-empty, --part-mb, --scratch: of one stage; a recipe has them in its section `run`."""
    options = [
        click.option("--fail-if-empty", is_flag=True, help="Exit with 1 where no document is left."),
        click.option(
            "--part-mb",
            default=128,
            show_default=True,
            type=click.IntRange(min=1),
            help="Size above which Parquet, JSONL, text and crawl files are cut into parts.",
        ),
        click.option("--scratch", default="", metavar="DIR", help="Folder for temporary files."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def _keep_level(context: click.Context, _: click.Parameter, value: str | None) -> None:
    context.meta["bukvar.log_level"] = value


def _begin_log(context: click.Context, _: click.Parameter, value: str | None) -> None:
    level = context.meta.get("bukvar.log_level")
    if value is None:
        if level is not None:
            raise click.UsageError("--log-level is of the lines of --log; add --log FILE", context)
        return
    if context.resilient_parsing:
        return
    from corpus import storage

    if storage.is_url(value):
        raise click.UsageError(f"--log {value}: lines are appended, which takes a local file, or -", context)
    try:
        command_log.begin(value, level or "info", context.command_path, context.obj or ())
    except OSError as error:
        raise click.UsageError(f"--log {value}: {error.strerror or error}", context) from error


def output_options(function: F) -> F:
    """--json, --quiet, --debug, --log, --log-level."""
    options = [
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout."),
        click.option("-q", "--quiet", is_flag=True, help="Print no progress."),
        click.option("--debug", is_flag=True, help="Show tracebacks."),
        click.option(
            "--log",
            metavar="FILE",
            expose_value=False,
            callback=_begin_log,
            help="Append what happens as JSON lines; - for stderr, in place of progress.",
        ),
        click.option(
            "--log-level",
            type=click.Choice(LEVELS),
            expose_value=False,
            is_eager=True,
            callback=_keep_level,
            help="Lowest level that --log writes.  [default: info]",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    import msgspec

    encoded = msgspec.json.format(msgspec.json.encode(value), indent=2)
    sys.stdout.write(encoded.decode() + "\n")


def show_traces(error: Exception, *, debug: bool) -> None:
    """With --debug, print the traceback of each failed task."""
    if debug:
        for failure in getattr(error, "failures", ()):
            click.echo(f"--- {failure.name}\n{failure.trace}", err=True)
