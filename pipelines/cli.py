"""The command `bukvar`: which commands there are, and what an error looks like.

Command modules are imported when they are called, so that `bukvar --help` starts at once. stdout is data,
stderr is talk. Exit codes: 0 done, 1 failed, 2 the request was wrong, 130 stopped by ctrl-C, 143 by SIGTERM.
"""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
import threading
from typing import Any, Final

import click

from corpus import credentials
from pipelines import command_log
from pipelines.terminal import harmless

#: Commands that are no stage's -> what they do.
_OTHERS: Final[dict[str, str]] = {
    "run": "do a whole recipe: from crawl to corpus and tokenizer",
    "takedown": "remove documents from a published dataset, for good",
    "verify": "check a published dataset against its manifest",
    "export": "write a vocabulary in other formats and prove its ids equal",
    "adapt-weights": "write a model's checkpoint with the ids of an adapted tokenizer",
    "status": "what of a run is done, running, failed",
    "label": "read documents and call each what it is, one key a verdict",
    "calibrate": "show what the filter's thresholds would do to a corpus, and fit a preset to it",
    "why": "follow one page through all stages of a run",
    "record": "show or copy the crawl record that a document was made of",
    "inspect": "read documents or dropped rows with their signals",
    "report": "write a run's report as one HTML file",
}


def commands() -> dict[str, str]:
    """Command -> what it does: the whole job, the stages in its order, and the rest."""
    from pipelines import registry

    stages = {row.name: row.summary for row in registry.rows()}
    return {"run": _OTHERS["run"], **stages, **_OTHERS}


class UnreadError(Exception):
    """The reader of stdout is gone (`| head`)."""


class _Commands(click.Group):
    """Imports a command when it is asked for."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except BrokenPipeError as error:  # click would exit with 1
            raise UnreadError from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:  # as above
            raise UnreadError from error

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(commands())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - same
        from pipelines import registry
        from pipelines.commands import common

        module_name = cmd_name.replace("-", "_")
        where = f"pipelines.commands.{module_name}:{module_name}" if cmd_name in _OTHERS else ""
        if not where and cmd_name in registry.names():
            row = registry.row_of(cmd_name)
            where = row.command
            if not where:
                from pipelines.commands.stages import command_of

                return common.named_values(command_of(row))
        if not where:
            return None
        module, _, attribute = where.partition(":")
        return common.named_values(getattr(importlib.import_module(module), attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - same
        with formatter.section("Commands"):
            formatter.write_dl(list(commands().items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in (known := commands()):
            import difflib

            near = difflib.get_close_matches(args[0], known, n=1, cutoff=0.5)
            hint = f"; did you mean `bukvar {near[0]}`?" if near else "; see `bukvar --help`"
            raise click.UsageError(f"no command {args[0]!r}{hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nExample:\n  bukvar run ru-web --set input.paths=crawl/ --out out/ru\n\n"
    "`bukvar COMMAND --help` explains each command, with an example.",
)
@click.version_option(package_name="bukvar", message="bukvar %(version)s")
@click.pass_context
def bukvar(context: click.Context) -> None:
    """Raw web crawls in, a clean, deduplicated Russian corpus and a tokenizer for it out."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the command; never lets a traceback out without --debug."""
    arguments = sys.argv[1:] if arguments is None else arguments
    sys.exit(run(arguments))


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code."""
    code = 1
    credentials.learn(())  # of an earlier command of this process
    try:
        code = _run([credentials.take(one) for one in arguments])
    finally:
        command_log.end(code)
    return code


def _run(arguments: list[str]) -> int:
    debug = "--debug" in arguments or bool(os.environ.get("BUKVAR_DEBUG"))
    _heed_sigterm()
    _print_everything()
    try:
        from corpus.faults import impatient
        from pipelines.names import check_names

        check_names()
        with impatient():
            result = bukvar.main(
                args=arguments, prog_name="bukvar", standalone_mode=False, obj=tuple(arguments)
            )
    except click.exceptions.Abort as error:  # what click makes of KeyboardInterrupt
        return _interrupted(_terminated.is_set() or isinstance(error.__context__, Terminated))
    except click.UsageError as error:
        usage = f"{error.ctx.get_usage()}\n" if error.ctx else ""
        return _say(error.format_message(), error.exit_code, before=usage)
    except click.ClickException as error:
        return _say(error.format_message(), error.exit_code)
    except KeyboardInterrupt as error:
        return _interrupted(_terminated.is_set() or isinstance(error, Terminated))
    except UnreadError:
        return _unread()
    except SystemExit as error:  # what rich makes of BrokenPipeError
        if isinstance(error.__context__, BrokenPipeError):
            return _unread()
        raise
    except Exception as error:
        if debug:
            raise
        return _explain(error, quiet=bool({"-q", "--quiet"} & set(arguments)))
    return result if isinstance(result, int) else 0


class Terminated(KeyboardInterrupt):
    """SIGTERM, which preemptible machines send: an end as clean as that of ctrl-C."""


#: Whether SIGTERM came: Ray turns what its handler raises into a plain KeyboardInterrupt.
_terminated = threading.Event()


def _heed_sigterm() -> None:
    def stop(*_: object) -> None:
        _terminated.set()
        raise Terminated

    _terminated.clear()
    if threading.current_thread() is threading.main_thread():  # elsewhere no handler can be set
        signal.signal(signal.SIGTERM, stop)


def _print_everything() -> None:
    """Let texts reach terminals whose encoding lacks their letters (LC_ALL=C): those appear as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _unread() -> int:
    """End quietly where the reader of stdout is gone, without a complaint at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _explain(error: Exception, *, quiet: bool) -> int:
    from corpus.errors import BukvarError

    if isinstance(error, BukvarError):
        return _say(str(error) if quiet else error.closing(), error.exit_code)
    if isinstance(error, MemoryError):
        return _say("out of memory; use fewer --workers or a larger machine", 1)
    if isinstance(error, OSError) and error.filename and error.strerror:
        return _say(f"{os.fsdecode(error.filename)}: {error.strerror.lower()}", 1)
    name = type(error).__name__
    return _say(f"internal error: {name}: {error}; run again with --debug and report what it prints", 1)


def _interrupted(by_sigterm: bool) -> int:
    if by_sigterm:
        return _say("stopped by SIGTERM; run the same command again to go on where it was", 143)
    return _say("stopped; run the same command again to go on where it was", 130)


def _say(message: str, code: int, before: str = "") -> int:
    line = " ".join(message.split())
    if not command_log.failed(line, code):
        print(f"{before}bukvar: {harmless(line)}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
