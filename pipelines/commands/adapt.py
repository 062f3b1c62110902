"""`bukvar adapt BASE INPUT... --add N --out DIR`: an open model's tokenizer made Russian, with proofs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipelines.commands import common


@click.command(
    "adapt",
    cls=common.WithParameters,
    section="adapt",
    help="Give an open model's tokenizer a Russian vocabulary, and prove what changed and what did not.\n\n"
    "BASE is a Hugging Face folder, tokenizer.json, tekken.json or a tiktoken rank file; INPUT is Parquet, "
    "JSONL or plain text, files or folders. DIR receives a folder that AutoTokenizer opens, the base's own "
    "format, GGUF metadata, id_map.parquet and the report. Without INPUT and with --check, the proofs of DIR "
    "are done again.",
    epilog=common.examples("bukvar adapt Llama-3.1-8B texts/ --add 32000 --out llama-ru --check english/"),
)
@click.argument("base")
@click.argument("inputs", nargs=-1, metavar="[INPUT]...")
@click.option("--add", type=int, help="Tokens to add (adapt.add).")
@click.option("--fixed-size", is_flag=True, help="Keep the number of ids (adapt.fixed_size).")
@click.option("--give-up", metavar="SCRIPT,...", help="Scripts whose ids are freed (adapt.give_up).")
@click.option("--swap", is_flag=True, help="Give up little-used Cyrillic tokens first (adapt.swap).")
@click.option("--keep", multiple=True, metavar="TEXT", help="Texts of languages to keep (adapt.keep).")
@click.option("--check", multiple=True, metavar="TEXT", help="Texts for the proofs (adapt.check_on).")
@click.option("--with", "ready", metavar="NAME", help="Take ready tokens, such as ru-32k; no INPUT needed.")
@click.option("--weights", metavar="MODEL", help="Rewrite this model's checkpoint, too, into DIR/model.")
@click.option("--out", required=True, metavar="DIR", help="Folder of the adapted tokenizer.")
@click.option("--text-column", default="text", show_default=True, help="Column that holds the text.")
@common.settings_option
@common.stage_options
@common.engine_options
@common.output_options
def adapt(base: str, inputs: tuple[str, ...], out: str, **options: Any) -> int:
    from corpus import storage
    from corpus.errors import UsageError
    from pipelines.adapt import REPORT
    from pipelines.commands.jobs import run_job

    if options["ready"] or not inputs:
        if inputs:
            raise UsageError("--with takes tokens that are ready: leave INPUT out")
        code = _without_input(base, out, options)
    else:
        run_job("adapt", inputs, out, options, _settings(base, options))
        code = _print(storage.read_bytes(storage.join(out, REPORT)), out, as_json=options["as_json"])
    return code or _weights(out, options)


def _weights(out: str, options: dict[str, Any]) -> int:
    """The model's checkpoint in the new ids, where one is named; its report is talk where stdout is JSON."""
    if not options["weights"]:
        return 0
    from pipelines.commands.adapt_weights import rewrite

    target = str(Path(out) / "model")
    report, proofs = rewrite(options["weights"], out, target, quiet=options["quiet"])
    click.echo("\n".join([str(report), *map(str, proofs), target]), err=options["as_json"])
    return 0 if all(proof.ok for proof in proofs) else 1


def _settings(base: str, options: dict[str, Any]) -> list[str]:
    import json

    def quoted(values: Any) -> str:
        return json.dumps(list(values), ensure_ascii=False)

    settings = [f"adapt.base={json.dumps(str(base), ensure_ascii=False)}"]
    if options["add"] is not None:
        settings.append(f"adapt.add={options['add']}")
    settings += [f"adapt.{name}=true" for name in ("fixed_size", "swap") if options[name]]
    if options["give_up"]:
        settings.append(f"adapt.give_up={quoted(one.strip() for one in options['give_up'].split(','))}")
    if options["keep"]:
        settings.append(f"adapt.keep={quoted(options['keep'])}")
    if options["check"]:
        settings.append(f"adapt.check_on={quoted(options['check'])}")
    return settings


def _without_input(base: str, out: str, options: dict[str, Any]) -> int:
    """Ready tokens, or proofs alone."""
    from corpus.errors import UsageError
    from pipelines.adapt import opened, prove_folder, reports
    from pipelines.inputs import inputs_of
    from pipelines.texts import read_texts

    found = inputs_of("texts", options["check"], options["text_column"]) if options["check"] else ()
    texts = (
        text
        for source in found
        for batch in read_texts(source)
        for text in batch.column("text").drop_null().to_pylist()
    )
    folder = Path(out)
    try:
        start = opened(base)
        report: dict[str, Any] = {"name": Path(base).name}
        if options["ready"]:
            from tokenizer.adapt.ready import adapted_with
            from tokenizer.adapt.write import write

            adapted = adapted_with(start, options["ready"], options["add"])
            write(adapted, folder)
            made = adapted.tokenizer
        elif options["check"] and folder.is_dir():
            from tokenizer.adapt.load import load

            made = load(folder)
        else:
            raise UsageError("nothing to do: name INPUT to learn from, --with NAME, or --check TEXT of a DIR")
        report |= prove_folder(start, made, folder, texts)
    except (ValueError, OSError) as error:
        raise UsageError(" ".join(str(error).split())) from error
    for name, data in reports(report).items():
        (folder / name).write_bytes(data)
    from pipelines.adapt import REPORT

    return _print((folder / REPORT).read_bytes(), out, as_json=options["as_json"])


def _print(encoded: bytes, out: str, *, as_json: bool) -> int:
    import msgspec

    from pipelines.adapt import PAGE, lines

    report = msgspec.json.decode(encoded, type=dict[str, Any])
    if as_json:
        click.echo(encoded.decode(), nl=False)
    else:
        for line in lines(report):
            click.echo(line)
        click.echo(f"{out}: {PAGE} has the full report", err=True)
    return 0 if report["ok"] else 1
