"""`bukvar calibrate INPUT...`: what thresholds would do to a corpus, and a preset that fits it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pipelines.commands import common

if TYPE_CHECKING:
    from corpus.quality.calibrate import Signal

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"


@click.command(
    "calibrate",
    help="Show what thresholds would do to a corpus: for each signal its distribution, the share that each "
    "threshold drops and the documents next to it.\n\n"
    "INPUT is Parquet or JSONL with a text column; of each file the first documents are measured (--limit "
    "in all). With --write, the preset's rules are written with thresholds that drop at most --share of this "
    "corpus each.",
    epilog=common.examples(
        "bukvar calibrate out/clean --signal words --html page.html",
        "bukvar calibrate good/ --write mine.rules --share 0.005",
        "bukvar filter crawl/ --out kept --set filter.preset=mine.rules",
    ),
)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "--preset",
    default="ru-web",
    show_default=True,
    metavar="NAME|FILE",
    help="Preset or file of rules to look at.",
)
@click.option("--signal", "signals", multiple=True, metavar="NAME", help="Only this signal, in full.")
@click.option("--limit", default=5_000, show_default=True, type=click.IntRange(min=1), help="Documents read.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page for a browser.")
@click.option(
    "--write", type=click.Path(dir_okay=False, path_type=Path), help="Write a preset fitted to INPUT."
)
@click.option(
    "--share",
    default=0.005,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="With --write: documents that one rule may drop.",
)
@click.option("--text-column", default="text", show_default=True, help="Column that holds the text.")
@common.output_options
def calibrate(inputs: tuple[str, ...], **options: Any) -> None:
    from corpus.errors import UsageError
    from corpus.quality.calibrate import describe, fitted
    from corpus.quality.choose import written
    from corpus.quality.rules import MARGIN
    from corpus.quality.signals import MEANING
    from corpus.quality.verdicts import preset_rules

    try:
        rules = preset_rules(options["preset"])
    except ValueError as error:
        raise UsageError(str(error)) from error
    meanings = MEANING | {MARGIN: "margin of the model"}
    _check_signals(options["signals"], meanings)
    texts, columns = _measured(inputs, options["text_column"], options["limit"])
    named = options["signals"] or [rule.signal for rule in rules] or list(MEANING)
    described = [
        describe(name, meanings[name], columns[name], texts, [r for r in rules if r.signal == name])
        for name in dict.fromkeys(named)
    ]
    if options["write"]:
        options["write"].write_text(written(fitted(rules, columns, options["share"])), encoding="utf-8")
        click.echo(
            f"wrote {options['write']}: bukvar filter --set filter.preset={options['write']}", err=True
        )
    if options["html"]:
        from pipelines.columns import signals_in_russian
        from pipelines.templates import render

        russian = signals_in_russian() | {MARGIN: "перевес модели в сторону мусора"}
        page = render("calibrate.html", signals=described, documents=len(texts), russian=russian)
        options["html"].write_text(page, encoding="utf-8")
        click.echo(f"wrote {options['html']}", err=True)
    if options["as_json"]:
        common.print_json(described)
    else:
        _print(described, len(texts), full=bool(options["signals"]))


def _check_signals(names: Iterable[str], known: Collection[str]) -> None:
    """Raise UsageError for a signal that there is none of, with the nearest name."""
    import difflib

    from corpus.errors import UsageError

    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = (
                f"did you mean {near[0]}?" if near else "docs/filter.md and `bukvar inspect --full` name them"
            )
            raise UsageError(f"--signal {name}: no such signal; {hint}")


def _measured(inputs: tuple[str, ...], text_column: str, limit: int) -> tuple[list[str], dict[str, Any]]:
    """Texts and columns of signals of the first documents of each input."""
    import dataclasses

    import numpy as np
    import pyarrow as pa

    from corpus.documents import read_documents
    from corpus.errors import StageError
    from corpus.quality.verdicts import Filter
    from pipelines.inputs import inputs_of

    found = inputs_of("documents", inputs)
    each = -(-limit // len(found))
    texts: list[str] = []
    for source in found:
        taken = 0
        for batch in read_documents(
            dataclasses.replace(source, text_column=text_column), 512, text_only=True
        ):
            some = [text for text in batch.column("text").to_pylist() if text][: each - taken]
            texts += some
            taken += len(some)
            if taken >= each:
                break
    if not texts:
        raise StageError("no document with a text among the inputs")
    batch = Filter(preset="none").open()(pa.table({"text": pa.array(texts, pa.large_string())}))
    names = [name for name in batch.column_names if pa.types.is_floating(batch.schema.field(name).type)]
    names += [name for name in batch.column_names if pa.types.is_integer(batch.schema.field(name).type)]
    columns = {name: batch.column(name).to_numpy().astype(np.float64) for name in names}
    return texts, columns


def bars(counts: tuple[int, ...]) -> str:
    """A histogram of one line."""
    most = max(counts, default=0)
    return "".join(_BLOCKS[-(-count * 8 // most) if most else 0] for count in counts)


def _print(signals: list[Signal], documents: int, *, full: bool) -> None:
    click.echo(f"{documents:,} documents")
    for signal in signals:
        q = signal.quantiles
        click.echo(f"\n{signal.name}: {signal.meaning}")
        click.echo(f"  {signal.low:.4g} |{bars(signal.bars)}| {signal.high:.4g}")
        click.echo(
            f"  least {q[0]:.4g}  1% {q[1]:.4g}  5% {q[2]:.4g}  half {q[4]:.4g}  95% {q[6]:.4g}  ", nl=False
        )
        click.echo(f"99% {q[7]:.4g}  most {q[8]:.4g}")
        for threshold in signal.thresholds:
            click.echo(f"  {threshold.rule}  drops {threshold.dropped:.2%}")
            if full:
                for word, edges in (("kept", threshold.inside), ("dropped", threshold.outside)):
                    for edge in edges:
                        click.echo(f"    {word} at {edge.value:.4g}: {' '.join(edge.text.split())[:200]}")
