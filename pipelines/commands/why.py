"""`bukvar why URL RUN`: one address through all stages of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipelines.commands import common

if TYPE_CHECKING:
    from pipelines.trace import Trace


@click.command(
    "why",
    help="Follow one page through all stages of a run: where it came from, what each stage did to it, why it "
    "was dropped, which duplicate was kept in its place.\n\n"
    "URL is an address as the crawl has it, or a doc_id (32 hex digits).",
    epilog=common.examples("bukvar why https://example.ru/about out/demo"),
)
@click.argument("address", metavar="URL")
@click.argument("folder", metavar="RUN")
@common.output_options
def why(address: str, folder: str, **options: Any) -> int:
    from corpus.errors import UsageError
    from pipelines.trace import follow

    if not address.strip():
        raise UsageError("an empty address; give one as the crawl has it, or a doc_id (32 hex digits)")
    found = follow(folder, address)
    if options["as_json"]:
        common.print_json([one.plain() for one in found])
    else:
        for number, one in enumerate(found):
            if number:
                click.echo()
            _print(one)
    if not found:
        click.echo(f"{address}: not in {folder}; no record that was read has this address", err=True)
    return 0 if found else 1


def _print(trace: Trace) -> None:
    from pipelines.progress import make_console
    from pipelines.terminal import harmless

    console = make_console()

    def line(text: str, style: str = "") -> None:
        console.print(harmless(text), style=style, soft_wrap=True)

    line(trace.url, "bold")
    line(f"doc_id {trace.doc_id}   record {trace.source}   shard {trace.shard}")
    for step in trace.steps:
        detail = f" ({step.detail})" if step.detail else ""
        if step.state == "dropped":
            meaning = f": {step.meaning}" if step.meaning else ""
            line(f"  {step.stage:<9} dropped  {step.reason}{meaning}{detail}", "red")
        else:
            line(f"  {step.stage:<9} {step.state}{detail}", "" if step.state == "kept" else "yellow")
    if trace.kept_url or trace.kept_doc_id:
        line(f"  kept in its place: {trace.kept_url or '?'} (doc_id {trace.kept_doc_id})")
