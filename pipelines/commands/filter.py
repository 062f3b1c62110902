"""`bukvar filter INPUT...`, the stage; `bukvar filter fit RUN...`, a preset of one's own from labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from pipelines import registry
from pipelines.commands import common
from pipelines.commands.stages import command_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from corpus.quality.labels import Label
    from corpus.quality.refit import Labelled, Report


@click.command(
    "fit",
    help="Fit the filter to documents that people have read: writes one file, which --preset of `bukvar "
    "filter` and filter.preset of a recipe take.\n\n"
    "RUN holds the documents whose digests stand in the files of labels (`bukvar label`). Trees that say "
    "where the labels disagree with the model are put behind its own, rules that drop good text are "
    "loosened, and the margin's threshold is set so that --keep of good text stays. What the fit is worth "
    "is measured by cross-validation: documents of one host are never fitted to and judged at once.\n\n"
    "About 200 documents of each side make a fit worth it; 50 good ones and 20 of junk are needed. Label "
    "them in what a run with filter.preset=none left, or the labels never meet what the filter drops. "
    "LightGBM must be installed (the extra `fit`).",
    epilog=common.examples(
        "bukvar filter out/clean --out out/measured --preset none",
        "bukvar label out/measured --kinds casino,menu --reader anna --labels team.jsonl",
        "bukvar filter fit out/measured --labels team.jsonl --out team.preset",
        "bukvar filter out/clean --out out/good --preset team.preset",
    ),
)
@click.argument("inputs", nargs=-1, required=True, metavar="RUN...")
@click.option(
    "--labels",
    multiple=True,
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of labels; may be given several times.",
)
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write."
)
@click.option(
    "--from",
    "base",
    default="ru-web",
    show_default=True,
    metavar="PRESET",
    help="Preset or file to begin with: its rules, and its model where it brings one.",
)
@click.option(
    "--keep",
    default=0.98,
    show_default=True,
    type=click.FloatRange(0.5, 0.999),
    help="Share of good text that stays.",
)
@click.option("--seed", default=1, show_default=True, help="Seed of the trees.")
@click.option("--text-column", default="text", show_default=True, help="Column that holds the text.")
@common.output_options
def fit(inputs: tuple[str, ...], **options: Any) -> None:
    import importlib.util

    from corpus.errors import StageError, UsageError
    from corpus.quality import refit
    from corpus.quality.verdicts import Filter, preset_rules

    if importlib.util.find_spec("lightgbm") is None:
        raise StageError("LightGBM is not installed: pip install 'bukvar[fit]'")
    try:
        rules = preset_rules(options["base"])
        base = Filter(preset=options["base"]).model_file().read_bytes()
        labels = _labels(options["labels"])
        labelled = _labelled(inputs, labels, options["text_column"])
        fitted = refit.fit(labelled, base, rules, refit.Options(keep=options["keep"], seed=options["seed"]))
    except ValueError as error:
        raise UsageError(str(error)) from error
    options["out"].write_bytes(fitted.data)
    if options["as_json"]:
        common.print_json(fitted.report)
    else:
        _print(fitted.report, options["base"])
    click.echo(f"wrote {options['out']}: bukvar filter INPUT --out DIR --preset {options['out']}", err=True)


def _labels(paths: tuple[Path, ...]) -> dict[str, Label]:
    """Labels by digest, without those that readers dispute, of which it says how many."""
    from corpus.quality.labels import agreed, read_labels

    for path in paths:
        if not path.is_file():
            raise ValueError(f"--labels {path}: no such file; `bukvar label` writes one")
    found = [label for path in paths for label in read_labels(path)]
    labels = agreed(found)
    if apart := len({label.sha256 for label in found}) - len(labels):
        click.echo(f"{apart} documents left out: readers disagree on them", err=True)
    return labels


def _labelled(inputs: tuple[str, ...], labels: dict[str, Label], text_column: str) -> Labelled:
    """The labelled documents among the inputs, with their signals. ValueError where there is none."""
    import numpy as np

    from corpus.documents import read_documents
    from corpus.quality.fit import rows_of
    from corpus.quality.labels import digest
    from corpus.quality.refit import Labelled
    from pipelines.inputs import inputs_of

    found: dict[str, tuple[str, str]] = {}
    for source in inputs_of("documents", inputs, text_column):
        for batch in read_documents(source, 512, text_only=True, also=("host", "url")):
            for text, host in zip(
                *(batch.column(name).to_pylist() for name in ("text", "host")), strict=True
            ):
                if text and (sha := digest(text)) in labels:
                    found[sha] = (text, host or sha)
    if not found:
        raise ValueError(
            f"none of the {len(labels)} labelled documents is among the inputs: name the run that was "
            "labelled (a text that was cleaned or masked since has another digest)"
        )
    if len(found) < len(labels):
        click.echo(
            f"{len(labels) - len(found)} of {len(labels)} labelled documents are not in INPUT", err=True
        )
    order = sorted(found)  # the same file whatever the order of the inputs
    return Labelled(
        rows_of([found[sha][0] for sha in order]),
        np.array([labels[sha].good for sha in order], np.bool_),
        np.array([labels[sha].kind for sha in order], np.str_),
        np.array([found[sha][1] for sha in order], np.str_),
    )


def _print(report: Report, base: str) -> None:
    click.echo(f"{report.documents:,} labelled documents of {report.hosts:,} hosts; after: judged by a fit")
    click.echo(f"without their host. Before: by {base}.\n\n{'':24}  documents  before   after")
    for good, word in ((True, "kept"), (False, "dropped")):
        for one in (kind for kind in report.kinds if kind.good == good):
            shares = (1 - one.before, 1 - one.after) if good else (one.before, one.after)
            click.echo(f"{word:8}{one.kind:16}  {one.documents:9}   {shares[0]:.3f}   {shares[1]:.3f}")
        of = sum(one.documents for one in report.kinds if one.good == good)
        before, after = (
            (report.kept_before, report.kept_after) if good else (report.dropped_before, report.dropped_after)
        )
        click.echo(f"{word:8}{'all':16}  {of:9}   {before:.3f}   {after:.3f}")
    click.echo(f"\n{report.trees} trees added to the model's (loss by number of trees: ", nl=False)
    click.echo(", ".join(f"{trees}: {loss:.3f}" for trees, loss in report.losses.items()) + ")")
    click.echo("\nrules: " + ", ".join(report.rules))
    if report.kept_after <= report.kept_before and report.dropped_after <= report.dropped_before:
        click.echo(f"\nno better than {base} on these documents: label more, or stay with it")


class _Filter(common.WithParameters):
    """The stage's command, which hands what begins with `fit` to the command above."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args[:1] == ["fit"]:
            return common.named_values(fit).make_context(f"{info_name} fit", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


def _command() -> click.Command:
    plain = command_of(registry.row_of("filter"))

    stage = cast("Callable[..., None]", plain.callback)

    def run(preset: str | None, settings: tuple[str, ...], **options: Any) -> None:
        given = (f"filter.preset={preset}",) if preset else ()
        stage(settings=(*given, *settings), **options)

    option = click.Option(
        ["--preset"], metavar="NAME|FILE", help="Rules to begin with; the same as --set filter.preset=..."
    )
    own = "`bukvar filter fit --help`: a preset of one's own from labels (an input named fit: ./fit)."
    text = f"{plain.help}\n\n{own}"
    return _Filter(
        plain.name,
        callback=run,
        params=[*plain.params, option],
        section="filter",
        help=text,
        epilog=plain.epilog,
    )


command = _command()
