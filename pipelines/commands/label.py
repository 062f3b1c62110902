"""`bukvar label RUN`: read documents and call each what it is, one key a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from pipelines.commands import common

#: Keys of kinds, in the order in which they are named; g, s, u and q mean something else.
_KEYS: Final = "123456789abcdefhijklmnoprtvwxyz"


@click.command(
    "label",
    help="Read documents and call each what it is: g for good text, a key for each of --kinds, s to pass on, "
    "u to take the last one back, q to stop.\n\n"
    "Labels are kept with digests of the texts, not with the texts; two readers see the same documents in "
    "the same order, and --agreement says how far they agree. --export writes the labelled documents for "
    "`python -m corpus.quality.fit`; `bukvar filter fit` reads labels themselves.",
    epilog=common.examples(
        "bukvar label out/measured --kinds casino,menu --reader anna --labels team.jsonl",
        "bukvar label out/measured --labels team.jsonl --agreement anna,boris",
        "bukvar label out/measured --labels team.jsonl --export labelled.parquet",
    ),
)
@click.argument("inputs", nargs=-1, required=True, metavar="RUN...")
@click.option(
    "--labels", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File of labels."
)
@click.option(
    "--kinds", default="junk", show_default=True, metavar="KIND,...", help="Kinds of junk, with commas."
)
@click.option(
    "--genres", default="", metavar="GENRE,...", help="Kinds of good text, with commas; they get keys too."
)
@click.option("--reader", default="", metavar="NAME", help="Who reads.")
@click.option(
    "--limit", default=200, show_default=True, type=click.IntRange(min=1), help="Documents to read."
)
@click.option("--agreement", metavar="A,B", help="Say how far two readers agree, and stop.")
@click.option(
    "--export", type=click.Path(dir_okay=False, path_type=Path), help="Write labelled documents, and stop."
)
@click.option("--text-column", default="text", show_default=True, help="Column that holds the text.")
@common.output_options
def label(inputs: tuple[str, ...], **options: Any) -> None:
    from corpus.errors import UsageError
    from corpus.quality.labels import read_labels

    try:
        known = read_labels(options["labels"])
    except ValueError as error:
        raise UsageError(str(error)) from error
    if options["agreement"]:
        _agreement(known, options)
    elif options["export"]:
        _export(inputs, known, options)
    else:
        _read(inputs, known, options)


def _agreement(known: Any, options: dict[str, Any]) -> None:
    from corpus.errors import UsageError
    from corpus.quality.labels import agreement

    readers = options["agreement"].split(",")
    if len(readers) != 2:
        raise UsageError("--agreement: name two readers, as in anna,boris")
    for reader in readers:
        if not any(one.reader == reader for one in known):
            there = ", ".join(sorted({one.reader for one in known})) or "nobody"
            raise UsageError(f"{options['labels']}: no labels of {reader!r}; there are labels of {there}")
    found = agreement(known, *readers)
    if options["as_json"]:
        common.print_json(found)
        return
    click.echo(f"{found.documents} documents, the same label for {found.same:.3f}, kappa {found.kappa:.3f}")
    for first, second, count in found.apart:
        click.echo(f"  {count:4}  {readers[0]}: {first}, {readers[1]}: {second}")


def _export(inputs: tuple[str, ...], known: Any, options: dict[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from corpus.errors import StageError
    from corpus.quality.labels import agreed, digest

    labels = agreed(known)
    texts = {digest(text): text for text in _texts(inputs, options["text_column"])}
    rows = [
        {"text": texts[sha], "good": one.good, "kind": one.kind, "source": "labels", "use": "fit"}
        for sha, one in sorted(labels.items())
        if sha in texts
    ]
    if not rows:
        raise StageError("none of the labelled documents is among the inputs")
    pq.write_table(pa.Table.from_pylist(rows), options["export"])
    click.echo(f"wrote {options['export']}: {len(rows)} of {len(labels)} labelled documents", err=True)


def _texts(inputs: tuple[str, ...], text_column: str) -> list[str]:
    from corpus.documents import read_documents
    from pipelines.inputs import inputs_of

    return [
        text
        for source in inputs_of("documents", inputs, text_column)
        for batch in read_documents(source, 512, text_only=True)
        for text in batch.column("text").to_pylist()
        if text
    ]


def _read(inputs: tuple[str, ...], known: Any, options: dict[str, Any]) -> None:
    from corpus.errors import UsageError
    from corpus.quality.labels import GOOD, Label, append, digest
    from pipelines.terminal import harmless

    if not options["reader"]:
        raise UsageError("--reader: say who reads, so that two readers can be compared")
    junk = [kind.strip() for kind in options["kinds"].split(",") if kind.strip()]
    genres = [kind.strip() for kind in options["genres"].split(",") if kind.strip()]
    if len(junk) + len(genres) > len(_KEYS):
        raise UsageError(f"--kinds and --genres: at most {len(_KEYS)} together")
    keys = {key: (kind, kind in genres) for key, kind in zip(_KEYS, [*junk, *genres], strict=False)}
    keys["g"] = (GOOD, True)
    done = {one.sha256 for one in known if one.reader == options["reader"]}
    # By digest: an order that is the same for every reader and has nothing to do with files or hosts.
    queue = sorted({digest(text): text for text in _texts(inputs, options["text_column"])}.items())
    queue = queue[: options["limit"]]
    at = 0
    legend = "  ".join(f"[{key}] {kind}" for key, (kind, _) in keys.items())
    while at < len(queue):
        sha, text = queue[at]
        if sha in done:
            at += 1
            continue
        click.echo(f"\n--- {at + 1} of {len(queue)} ---\n{harmless(text[:2500])}")
        click.echo(f"{legend}  [s] pass on  [u] back  [q] stop")
        key = click.getchar()
        if key == "q":
            break
        if key == "u" and at:
            at -= 1
            done.discard(queue[at][0])
        elif key == "s":
            at += 1
        elif key in keys:
            kind, good = keys[key]
            append(options["labels"], Label(sha, kind, good, options["reader"]))
            done.add(sha)
            at += 1
    click.echo(f"{len(done)} labels of {options['reader']} in {options['labels']}", err=True)
