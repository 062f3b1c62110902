"""`bukvar classify train | apply`: a classifier of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.commands import common

if TYPE_CHECKING:
    import pyarrow as pa

    from rust_ext import LinearClassifier


@click.group(
    "classify",
    help="Train a classifier of one's own and score documents by it.",
    epilog=common.examples("bukvar classify train textbooks/ --against crawl/ --out textbooks.model"),
)
def classify() -> None:
    pass


def columns_of(inputs: tuple[str, ...], text_column: str, limit: int) -> Iterator[pa.Array]:
    """The texts of documents, at most `limit`: the first of each file, files alike; no empty ones."""
    import pyarrow.compute as pc

    from corpus.documents import read_documents
    from pipelines.inputs import inputs_of
    from rust_ext.arrow import text_array

    found = inputs_of("documents", inputs, text_column)
    each = -(-limit // len(found))
    for source in found:
        taken = 0
        for batch in read_documents(source, 512, text_only=True):
            column = text_array(batch.column("text"))
            some = column.filter(pc.greater(pc.binary_length(column), 0))[: each - taken]
            yield some
            taken += len(some)
            if taken >= each:
                break


@classify.command(
    "train",
    short_help="Learn what distinguishes texts from others; write a model.",
    help="Learn what distinguishes POSITIVE from --against, and say what the model is worth on a tenth that "
    "it did not see: precision, recall, calibration, the words that weigh most, documents at the edge.\n\n"
    "POSITIVE and --against are Parquet or JSONL with a text column.",
    epilog=common.examples("bukvar classify train textbooks/ --against crawl/ --out textbooks.model"),
)
@click.argument("positive", nargs=-1, required=True, metavar="POSITIVE...")
@click.option(
    "--against", multiple=True, required=True, metavar="INPUT", help="What POSITIVE is distinguished from."
)
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The model's file."
)
@click.option(
    "--limit", default=500_000, show_default=True, type=click.IntRange(min=1), help="Texts read of each side."
)
@click.option(
    "--threshold",
    default=0.5,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Score from which the report counts a text as positive.",
)
@click.option(
    "--epochs", default=5, show_default=True, type=click.IntRange(1, 100), help="Passes over the texts."
)
@click.option("--bits", default=20, show_default=True, type=click.IntRange(8, 26), help="2^bits weights.")
@click.option("--seed", default=1, show_default=True, help="Seed of the order of the texts.")
@click.option("--text-column", default="text", show_default=True, help="Column that holds the text.")
@common.output_options
def train(positive: tuple[str, ...], against: tuple[str, ...], out: Path, **options: Any) -> None:
    from corpus.classify import Training
    from corpus.classify import train as learn
    from corpus.errors import UsageError

    sides = [columns_of(side, options["text_column"], options["limit"]) for side in (positive, against)]
    training = Training(
        bits=options["bits"], epochs=options["epochs"], seed=options["seed"], threshold=options["threshold"]
    )
    try:
        model, report = learn(sides[0], sides[1], training)
    except ValueError as error:
        raise UsageError(str(error)) from error
    out.write_bytes(model.to_bytes())
    if options["as_json"]:
        common.print_json(report)
    else:
        _print(report)
    click.echo(f"wrote {out}: bukvar classify apply INPUT --model {out} --out DIR", err=True)


def _print(report: Any) -> None:
    click.echo(f"learnt from {report.trained:,} texts, measured on {report.held:,} others")
    click.echo(
        f"at {report.threshold:g}: precision {report.precision:.3f}, recall {report.recall:.3f}; "
        f"area under the curve {report.auc:.4f}"
    )
    click.echo("\ncalibration: texts, mean score, share of the first kind")
    for one in report.calibration:
        click.echo(f"  {one.texts:7,}  {one.score:.3f}  {one.positive:.3f}")
    for title, words in (("for", report.words_for), ("against", report.words_against)):
        click.echo(f"\nwords {title}: " + ", ".join(word for word, _ in words))
    click.echo("\nat the edge:")
    for edge in report.edges:
        kind = "first kind" if edge.positive else "other"
        click.echo(f"  {edge.score:.3f} ({kind}) {' '.join(edge.text.split())[:160]}")


@classify.command(
    "apply",
    short_help="Score documents by a model; drop low scores.",
    help="Give each document a score (column class_score) and drop what lies below --min-score, or below the "
    "--percentile of the first documents' scores.",
    epilog=common.examples("bukvar classify apply crawl/ --model textbooks.model --percentile 90 --out best"),
)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "--model", required=True, type=click.Path(exists=True, dir_okay=False), help="The model's file."
)
@click.option("--min-score", type=click.FloatRange(0, 1), help="Least score of a document that is kept.")
@click.option("--percentile", type=click.FloatRange(0, 100), help="Percentage of documents to drop.")
@click.option("--sample", default=20_000, show_default=True, help="Documents read for --percentile.")
@click.option("--out", required=True, metavar="DIR", help="Output folder (or URL); opens as a dataset.")
@click.option("--text-column", default="text", show_default=True, help="Column that holds the text.")
@common.settings_option
@common.stage_options
@common.engine_options
@common.output_options
def apply(inputs: tuple[str, ...], **options: Any) -> None:
    import pyarrow as pa

    from corpus.errors import UsageError
    from pipelines import funnel
    from pipelines.commands.jobs import run_job

    if options["percentile"] is not None and options["min_score"] is not None:
        raise UsageError("give --min-score or --percentile, not both")
    least = options["min_score"] or 0.0
    model = _model(options["model"])
    if options["percentile"] is not None:
        columns = columns_of(inputs, options["text_column"], options["sample"])
        texts = pa.chunked_array(columns, pa.large_string())
        least = _score_at(model, texts, options["percentile"])
        click.echo(
            f"{options['percentile']:g}% of {len(texts):,} documents score below {least:.4f}", err=True
        )
    settings = [f"classify.model={options['model']}", f"classify.min_score={least!r}"]
    _, result = run_job("classify", inputs, options["out"], options, settings)
    funnel.check([result])
    if options["as_json"]:
        common.print_json(result)
    else:
        funnel.print_funnel([result])


def _model(path: str) -> LinearClassifier:
    from corpus.errors import UsageError
    from rust_ext import LinearClassifier

    try:
        return LinearClassifier(Path(path).read_bytes())
    except ValueError as error:
        raise UsageError(f"{path}: {error}; `bukvar classify train` writes one") from error


def _score_at(model: LinearClassifier, texts: pa.ChunkedArray, percentile: float) -> float:
    import numpy as np

    from rust_ext.arrow import text_buffers

    scores = model.scores(text_buffers(texts))
    return float(np.quantile(scores, percentile / 100)) if len(scores) else 0.0
