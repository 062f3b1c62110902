"""`bukvar adapt-weights MODEL_DIR`: a model's matrices in the ids of an adapted tokenizer."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from pipelines.commands import common

if TYPE_CHECKING:
    from tokenizer.adapt.weights import Report
    from tokenizer.adapt.weights_verify import Proof


@click.command(
    "adapt-weights",
    help="Write a model's checkpoint (safetensors) with the ids of an adapted tokenizer: embedding and "
    "output matrix in the new order, rows of new tokens made of their old pieces, everything else copied "
    "byte for byte. Then both are read again and what is claimed is proved: exit code 1 if a proof fails.",
    epilog=common.examples("bukvar adapt-weights Llama-3.1-8B --map adapted --out Llama-3.1-8B-ru"),
)
@click.argument("model")
@click.option(
    "--map", "adapted", required=True, metavar="DIR", help="The adapted tokenizer's folder, or its id map."
)
@click.option("--out", required=True, metavar="DIR", help="Folder for the new checkpoint.")
@click.option("--method", metavar="NAME", help="How rows of new tokens are made (docs/adapt-weights.md).")
@click.option("--pad-to", type=int, default=128, show_default=True, help="Make rows a multiple of this.")
@click.option(
    "--padding", type=click.Choice(["mean", "zero"]), default="mean", show_default=True,
    help="Content of rows that belong to no token.",
)  # fmt: skip
@click.option("--untie", is_flag=True, help="Give a tied model an output matrix of its own.")
@click.option("--link", is_flag=True, help="Hard links in place of copies of shards that do not change.")
@click.option("--hidden", default="", metavar="FILE", help="Mean hidden state, measured: a .npy file.")
@click.option(
    "--matrix", "roles", multiple=True, metavar="NAME=ROLE",
    help="State that a tensor is the input or output matrix, or has no row per token (copy).",
)  # fmt: skip
@click.option("--no-check", is_flag=True, help="Skip the proofs, which read both checkpoints again.")
@click.option("--redo", is_flag=True, help="Replace what another model or other options made in --out.")
@common.output_options
def adapt_weights(
    model: str, adapted: str, out: str, method: str | None, roles: tuple[str, ...], **options: Any
) -> int:
    from corpus.errors import UsageError

    settings = {name: options[name] for name in ("pad_to", "padding", "untie", "link", "hidden")}
    try:
        settings["roles"] = dict(_role(one) for one in roles)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if method:
        settings["method"] = method
    report, proofs = rewrite(
        model,
        adapted,
        out,
        settings,
        redo=options["redo"],
        check=not options["no_check"],
        quiet=options["quiet"],
    )
    ok = all(proof.ok for proof in proofs)
    if options["as_json"]:
        found = [dataclasses.asdict(proof) for proof in proofs]
        common.print_json({"ok": ok, "report": dataclasses.asdict(report), "proofs": found})
    else:
        click.echo("\n".join([str(report), *map(str, proofs)]))
    return 0 if ok else 1


def rewrite(
    model: str,
    adapted: str,
    out: str,
    settings: Mapping[str, Any] | None = None,
    *,
    redo: bool = False,
    check: bool = True,
    quiet: bool = False,
) -> tuple[Report, tuple[Proof, ...]]:
    """Write a model's checkpoint for the adapted tokenizer (its folder, or an id map) and prove it; settings:
    of `tokenizer.adapt.weights.Options`. UsageError for what can't be done, RunError as the disk has it."""
    from pathlib import Path

    from corpus.errors import RunError, UsageError
    from tokenizer.adapt.weights import Options, adapt_weights
    from tokenizer.adapt.weights_verify import verify

    progress = None if quiet else ProgressLine()
    tokenizer = adapted if Path(adapted).is_dir() else None
    try:
        options = Options(**(settings or {}))
        report = adapt_weights(
            model, adapted, out, options, tokenizer=tokenizer, redo=redo, progress=progress
        )
        return report, verify(model, out, progress) if check else ()
    except ValueError as error:
        raise UsageError(" ".join(str(error).split())) from error
    except OSError as error:
        raise RunError(f"{error}; run the same command again to go on where it was") from error


def _role(text: str) -> tuple[str, str]:
    name, _, role = text.rpartition("=")
    if not name:
        raise ValueError(f"--matrix {text}: write NAME=input, NAME=output or NAME=copy")
    return name, role


class ProgressLine:
    """The progress callback: a line on stderr that is written over on a terminal, every ten seconds a line
    elsewhere."""

    def __init__(self) -> None:
        self._last, self._began = 0.0, time.monotonic()
        self._every = 0.2 if sys.stderr.isatty() else 10.0

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last < self._every or now - self._began < self._every:
            return
        self._last = now
        line = f"{done / 1e9:.1f} of {total / 1e9:.1f} GB  {what}"
        click.echo(f"\r{line:<79}" if sys.stderr.isatty() else line, err=True, nl=not sys.stderr.isatty())
