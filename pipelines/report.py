"""A run's report: one HTML file that needs nothing else, in English and Russian, for light and dark screens.

Reads receipts, shards, dropped rows and figures of a run's folder, or of one stage's; writes the file. It can
be made again at any time, and of a run that failed. No path of the machine stands in it.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any, Final

import msgspec

from corpus import storage
from corpus.documents import host_of
from corpus.errors import UsageError
from corpus.receipts import FAILED, PLAN, read_receipts, versions
from pipelines import columns, registry
from pipelines.account import StageResult, summarize
from pipelines.duplicates import pairs_of_duplicates
from pipelines.findings import Findings, Sample, dropped_samples, kept_samples, read_findings, without_paths
from pipelines.layout import RECIPE, results_of, stage_folder
from pipelines.pages import PageBesideText, pages_beside_texts
from pipelines.templates import render

#: A remark or a text of the page: English, Russian.
Both = tuple[str, str]
#: Share of its documents that a stage drops without a remark.
_UNREMARKABLE: Final = 0.9
_ASKED: Final[dict[str, Both]] = {
    "noai": ("ask not to be used for AI (noai)", "просят не использовать их для ИИ (noai)"),
    "tdm_reserved": ("reserve text and data mining (TDM)", "запрещают анализ текста и данных (TDM)"),
    "train_ai_disallowed": (
        "ask not to be used for training (AIPREF)",
        "просят не обучать на них модели (AIPREF)",
    ),
    "robots_disallowed": (
        "are closed to robots that gather training data (robots.txt)",
        "закрыты от роботов, которые собирают данные для обучения (robots.txt)",
    ),
    "noindex": ("ask not to be indexed (noindex)", "просят их не индексировать (noindex)"),
}


#: Labels of the evaluation's plots, in both languages.
_AXES: Final = {
    "tokens per word (fewer is better)": "токенов на слово (меньше — лучше)",
    "tokens per word, mean of domains (fewer is better)":
        "токенов на слово, среднее по областям (меньше — лучше)",
    "cuts that are morpheme boundaries (more is better)":
        "доля границ токенов на границах морфем (больше — лучше)",
}  # fmt: skip


def write_report(run: str, target: str, crawl: Sequence[str] = ()) -> None:
    """Write the report of a run to a file or URL. Raises UsageError where the folder is no run.

    crawl: where the crawl lies now, if not where the recipe says: pages are shown beside their texts.
    """
    results = read_results(run)
    if not results:
        raise UsageError(f"{run}: neither a run nor a stage's folder; name what --out named")
    documents = [r for r in results if registry.row_of(r.stage).documents]
    last = next((r for r in reversed(documents) if r.rows_out), None)
    found = read_findings(last.folder, last.rows_out) if last else Findings()
    failures = list(_failures(results))
    evaluation = read_evaluation(run)
    kept = list(kept_samples(last.folder)) if last else []
    beside, out_of_reach = _beside(run, kept, results, crawl)
    html = render(
        "report.html",
        title=storage.base_name(storage.absolute(run)),
        results=results,
        documents=documents,
        last=last,
        found=found,
        failures=failures,
        remarks=[*_remarks(results), *_remarks_of_documents(found), *_remarks_of_tokenizer(evaluation)],
        asked=_ASKED,
        opt_outs=_opt_outs(results),
        reasons=registry.reasons(r.stage for r in results),
        russian=russian_reasons(),
        samples={r.stage: dict(dropped_samples(r)) for r in results if r.dropped},
        kept=kept,
        beside=beside,
        out_of_reach=out_of_reach,
        pairs=[pair for r in results if r.stage == "dedup" for pair in pairs_of_duplicates(r)],
        evaluation=evaluation,
        plots=list(_plots(run)),
        recipe=_recipe(run),
        versions=versions(),
    )
    storage.write_bytes(target, html.encode())


def _beside(
    run: str, kept: Sequence[Sample], results: Sequence[StageResult], crawl: Sequence[str]
) -> tuple[list[PageBesideText], list[str]]:
    """Pages of kept samples that this run extracted, of as many hosts as can be."""
    if not any(result.stage == "extract" for result in results):
        return [], []
    met: Counter[str | None] = Counter()
    turns = []
    for one in kept:
        host = host_of(one.url)
        turns.append((met[host], one))
        met[host] += 1
    places = [(one.url, one.source) for _, one in sorted(turns, key=lambda turn: turn[0]) if one.source]
    return pages_beside_texts(run, places, crawl)


def read_results(run: str) -> list[StageResult]:
    """The stages of a run's folder, or the one of a stage's; none where it is neither."""
    if not storage.exists(storage.join(run, PLAN)):
        return results_of(run)
    plan = msgspec.json.decode(storage.read_bytes(storage.join(run, PLAN)), type=dict[str, Any])
    return [summarize(str(plan["stage"]), run, read_receipts(run))]


def _failures(results: Sequence[StageResult]) -> Iterator[tuple[str, str, str]]:
    """Stage, task and message of each task whose last try failed."""
    for result in results:
        for file in storage.list_files(storage.join(result.folder, FAILED)):
            try:
                note = msgspec.json.decode(storage.read_bytes(file), type=dict[str, Any])
            except msgspec.MsgspecError:
                note = {}
            message = without_paths(str(note.get("message", "")))
            yield result.stage, storage.base_name(file).removesuffix(".json"), message


def _remarks(results: Sequence[StageResult]) -> Iterator[Both]:
    """What to look at in what the stages did."""
    for result in results:
        place = f"{storage.base_name(storage.parent(result.folder))}/{storage.base_name(result.folder)}"
        known = dataclasses.replace(result, folder=place)
        for name, text in sorted(result.notes.items()):
            said = without_paths(f"{result.stage}: {name}: {text}")
            yield said, _in_russian(said)
        noted = " ".join(result.notes)
        empty = [without_paths(name) for name in result.without_records if name not in noted]
        if empty:
            shown, more = ", ".join(empty[:5]), len(empty) - 5
            yield (
                f"{result.stage}: no record in {shown}" + (f" and {more} more" if more > 0 else ""),
                f"{result.stage}: нет ни одной записи в {shown}" + (f" и ещё в {more}" if more > 0 else ""),
            )
        gone = sum(result.dropped.values())
        if result.documents_are_gone:
            left = f"не осталось ни одного документа из {result.rows_in}"
            yield known.empty(), f"{result.stage}: {left if result.rows_in else 'документов нет'}"
        elif result.rows_in and gone > _UNREMARKABLE * result.rows_in:
            share = f"{gone / result.rows_in:.1%}"
            yield (
                f"{result.stage} dropped {share} of its documents",
                f"{result.stage} отбросил {share} своих документов",
            )
        errors = sum(count for reason, count in result.dropped.items() if reason.startswith("error:"))
        if errors:
            yield (
                f"{result.stage}: {errors} documents dropped for an internal error (reasons error:...)",
                f"{result.stage}: {errors} документов отброшено из-за внутренней ошибки (причины error:...)",
            )


def _in_russian(remark: str) -> str:
    for english, russian in (
        (": cut short: ", ": файл обрезан: "),
        (": empty: no record in it", ": нет ни одной записи"),
    ):
        remark = remark.replace(english, russian)
    return remark


def _remarks_of_documents(found: Findings) -> Iterator[Both]:
    for name, why in sorted(found.unreadable.items()):
        yield f"{name} is not counted here: {why}", f"{name} здесь не учтён: {why}"
    cut = found.values["truncated"].total() if "truncated" in found.values else 0
    if cut:
        yield (
            f"{cut} of the documents kept are of pages cut short in the crawl (column truncated)",
            f"{cut} оставленных документов — со страниц, обрезанных при обходе (колонка truncated)",
        )
    for flag, count in found.flags.items():
        if count:
            en, ru = _ASKED[flag]
            yield (
                f"{count} documents of the last stage {en}; publish.respect decides on them",
                f"{count} документов последней стадии {ru}; о них решает publish.respect",
            )


def _remarks_of_tokenizer(evaluation: dict[str, Any]) -> Iterator[Both]:
    for row in evaluation.get("rows", []):
        if row.get("lost"):
            yield (
                f"tokenizer {row['tokenizer']}: {row['lost']} characters do not come back",
                f"токенизатор {row['tokenizer']}: {row['lost']} символов не восстанавливается",
            )
    for name, message in dict(evaluation.get("failed") or {}).items():
        yield f"tokenizer {name}: {message}", f"токенизатор {name}: {message}"


def _opt_outs(results: Sequence[StageResult]) -> list[tuple[str, int]]:
    """Reasons by which somebody's wish took documents out of the dataset, with their counts."""
    publish = [r for r in results if r.stage == "publish"]
    return [(reason, count) for r in publish for reason, count in r.dropped.items()]


def read_evaluation(run: str) -> dict[str, Any]:
    """Figures of the tokenizers of a run, without paths; no `rows` where there are none."""
    location = storage.join(stage_folder(run, "evaluate"), "evaluation.json")
    if not storage.exists(location):
        return {"rows": []}
    try:
        found = msgspec.json.decode(storage.read_bytes(location), type=dict[str, Any])
        rows = msgspec.convert(found["rows"], list[dict[str, Any]])
    except (msgspec.MsgspecError, KeyError):
        return {"rows": [], "failed": {"evaluation.json": "can't be read; run the same command again"}}
    for row in rows:
        row["tokenizer"] = without_paths(str(row.get("tokenizer", "")))
    for sentence in found.get("samples", []):
        for one in sentence["tokens"]:
            one["tokenizer"] = without_paths(str(one["tokenizer"]))
    failed = dict(found.get("failed") or {})
    found["failed"] = {without_paths(str(k)): without_paths(str(v)) for k, v in failed.items()}
    return found


def _plots(run: str) -> Iterator[str]:
    """Plots of the evaluation, in the colours of the page in place of black on white."""
    for number, file in enumerate(storage.list_files(stage_folder(run, "evaluate"))):
        if not storage.path_part(file).endswith(".svg"):
            continue
        svg = storage.read_bytes(file).decode("utf-8", "replace")
        svg = re.sub(r"^.*?(?=<svg)", "", svg, count=1, flags=re.DOTALL)
        svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
        svg = re.sub(r"fill: #f{6}(; opacity: [\d.]+)?", "fill: none", svg)
        svg = re.sub(r"(fill|stroke): #0{6}", r"\1: currentColor", svg)
        svg = re.sub(r"(<text style=\")", r"\1fill: currentColor; ", svg)
        for english, russian in _AXES.items():
            both = f'<tspan class="en">{english}</tspan><tspan class="ru">{russian}</tspan>'
            svg = svg.replace(f">{english}<", f">{both}<")
        # Ids of several plots of one page must differ.
        svg = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>plot{number}-", svg)
        svg = re.sub(r'<svg ([^>]*?)width="[^"]*" height="[^"]*"', r'<svg \1role="img"', svg, count=1)
        yield without_paths_in_text(svg)


def without_paths_in_text(svg: str) -> str:
    """An SVG whose labels hold no local path."""
    return re.sub(r"(<text[^>]*>)([^<]*)", lambda m: m.group(1) + without_paths(m.group(2)), svg)


def _recipe(run: str) -> str:
    location = storage.join(run, RECIPE)
    if not storage.exists(location):
        return ""
    return without_paths(storage.read_bytes(location).decode("utf-8", "replace"))


def russian_reasons() -> dict[str, str]:
    """Meaning of drop reasons in Russian, as far as they are translated."""
    text = resources.files("pipelines").joinpath("assets/reasons.ru.toml").read_text(encoding="utf-8")
    known = tomllib.loads(text)
    limits = {
        f"{side}_{signal}": f"{limit}: {meaning}"
        for signal, meaning in columns.signals_in_russian().items()
        for side, limit in (("low", "ниже порога"), ("high", "выше порога"))
    }
    return limits | {name: str(meaning) for name, meaning in known.items()}
