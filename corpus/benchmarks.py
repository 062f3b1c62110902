"""Benchmark files: JSONL, JSON, CSV, TSV or Parquet to items, each with the texts of its fields.

A field is found at any depth of a row: of `{"inputs": {"text": ...}}` both `inputs` and `text` name the text,
and `answers` names every string of `{"answers": {"text": [...]}}`. Numbers are no text.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from corpus import storage
from corpus.errors import UsageError, one_line
from corpus.packing import unpacked

#: Family of benchmarks -> the fields of its public files that hold texts of items. Instructions are left out:
#: they are the same in every item.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "mera": ("inputs", "outputs"),
    "rublimp": ("source_sentence", "target_sentence"),
    "xquad": ("context", "question", "answers"),
    "mmlu-ru": ("question", "choices", "question_ru", "choices_ru"),
    "gsm8k-ru": ("question", "answer"),
    "russian-superglue": (
        "passage", "question", "premise", "hypothesis", "choice1", "choice2", "text", "sentence1",
        "sentence2",
    ),
    "rucola": ("sentence",),
    "arc-ru": ("question", "choices"),
    "hellaswag-ru": ("ctx", "endings"),
    "truthfulqa-ru": ("question", "best_answer", "correct_answers", "incorrect_answers"),
    "winogrande-ru": ("sentence", "option1", "option2"),
    "belebele": (
        "flores_passage", "question", "mc_answer1", "mc_answer2", "mc_answer3", "mc_answer4",
    ),
    "humaneval-ru": ("prompt", "canonical_solution"),
}  # fmt: skip
ENDINGS: Final = ("jsonl", "ndjson", "json", "csv", "tsv", "parquet")
_NAME: Final = re.compile(rf"(.+)\.({'|'.join(ENDINGS)})(?:\.(?:gz|zst))?", re.I)
#: Longest field of a CSV file, in characters; the csv module's own limit is below some benchmarks' contexts.
_CSV_FIELD: Final = 1 << 24


@dataclass(frozen=True)
class Benchmark:
    """The items of one file. `items[k]` holds the number of the item in its file, from 1, and its texts."""

    name: str
    items: tuple[tuple[int, tuple[str, ...]], ...]
    #: Fields named by the recipe that the file has.
    found: frozenset[str]


def fields_of(names: Sequence[str]) -> tuple[str, ...]:
    """The fields that names stand for: a family's are those of `FIELDS`, no names all of them."""
    groups = [FIELDS.get(name, (name,)) for name in names] if names else FIELDS.values()
    return tuple(dict.fromkeys(itertools.chain.from_iterable(groups)))


def files_of(locations: Iterable[str]) -> list[tuple[str, str]]:
    """(location, name) of each benchmark file: of a folder those with one of `ENDINGS`.

    Raises UsageError for a file of another ending, and a folder without a benchmark.
    """
    found = []
    for location in locations:
        kind = storage.info(location).type
        if kind == fs.FileType.NotFound:
            raise UsageError(f"decontaminate.benchmarks: {location}: no such file or folder")
        if kind != fs.FileType.Directory:
            if not _NAME.fullmatch(storage.base_name(location)):
                raise UsageError(
                    f"decontaminate.benchmarks: {location} is none of .{', .'.join(ENDINGS)} (.gz, .zst)"
                )
            found.append((location, storage.base_name(location)))
            continue
        root = storage.base_name(location)
        below = [
            path
            for path in sorted(storage.list_tree(location))
            if _NAME.fullmatch(path) and not any(part.startswith(("_", ".")) for part in path.split("/"))
        ]
        if not below:
            raise UsageError(
                f"decontaminate.benchmarks: {location} holds no file that ends in .{', .'.join(ENDINGS)}"
            )
        found += [(storage.join(location, path), f"{root}/{path}") for path in below]
    return found


def read_benchmarks(files: Iterable[tuple[str, str]], names: Sequence[str] = ()) -> list[Benchmark]:
    """Reads (location, name) pairs; files of other endings, as a folder may hold them, are left out.

    `names` are fields or families of `FIELDS`. Raises UsageError, with file and line where there is one, for
    a file that can't be read, that is empty, or has none of the fields; and for a field that no file has.
    """
    wanted = frozenset(fields_of(names))
    listed = [(location, name) for location, name in files if _NAME.fullmatch(name)]
    shown = _shown([name for _, name in listed])
    read = [_read(location, label, wanted) for (location, _), label in zip(listed, shown, strict=True)]
    have = frozenset().union(*(one.found for one in read))
    if missing := [name for name in names if name not in FIELDS and name not in have]:
        raise UsageError(f"decontaminate.fields: no benchmark has a field {missing[0]!r}")
    return read


def _shown(names: list[str]) -> list[str]:
    """Names without folders and endings; whole where two would be equal."""
    short = [match[1] if (match := _NAME.fullmatch(storage.base_name(name))) else name for name in names]
    return [name if short.count(label) > 1 else label for name, label in zip(names, short, strict=True)]


def _read(location: str, name: str, wanted: frozenset[str]) -> Benchmark:
    where = f"decontaminate.benchmarks: {storage.base_name(location)}"
    items: list[tuple[int, tuple[str, ...]]] = []
    found: set[str] = set()
    keys: list[str] = []
    try:
        for number, row in _rows(location):
            if not isinstance(row, dict):
                raise UsageError(f"{where}: item {number} is no object with fields but {_kind(row)}")
            keys = keys or [str(key) for key in row]
            texts = dict.fromkeys(text for text in _texts(row, wanted, found, False) if text.strip())
            items.append((number, tuple(texts)))
    except _BrokenError as error:
        raise UsageError(f"{where}: {error}") from error
    except (UnicodeDecodeError, pa.ArrowException, RecursionError) as error:
        raise UsageError(f"{where}: can't be read: {one_line(error)}") from error
    if not items:
        raise UsageError(f"{where} holds no item; name a file with some, or leave it out")
    if not found:
        raise UsageError(
            f"{where} has none of the fields that are compared; name its own with decontaminate.fields "
            f"(it has {', '.join(keys[:12])})"
        )
    if not any(texts for _, texts in items):
        raise UsageError(f"{where}: {', '.join(sorted(found))} hold no text; name fields that do")
    return Benchmark(name, tuple(items), frozenset(found))


class _BrokenError(ValueError):
    """What is wrong with a file, with the line."""


def _kind(value: Any) -> str:
    return {list: "a list", str: "a string", type(None): "null"}.get(type(value), "a number")


def _texts(value: Any, wanted: frozenset[str], found: set[str], inside: bool) -> Iterator[str]:
    """The strings of the wanted fields, in their order; the fields' names go into `found`."""
    if isinstance(value, str):
        if inside:
            yield value
    elif isinstance(value, dict):
        for key, below in value.items():
            if key in wanted:
                found.add(key)
            yield from _texts(below, wanted, found, inside or key in wanted)
    elif isinstance(value, list):
        for below in value:
            yield from _texts(below, wanted, found, inside)


def _rows(location: str) -> Iterator[tuple[int, Any]]:
    """Numbered rows of a file of any kind."""
    match = _NAME.fullmatch(storage.base_name(location))
    ending = match[2].lower() if match else ""
    with storage.translated(location), storage.open_input(location) as raw:
        try:
            if ending == "parquet":
                batches = pq.ParquetFile(raw).iter_batches(1024)
                yield from enumerate((row for batch in batches for row in batch.to_pylist()), 1)
                return
            with unpacked(raw, location) as stream:
                text = io.TextIOWrapper(io.BytesIO(stream.read()), "utf-8-sig", newline="")
        except (EOFError, OSError, zlib.error) as error:
            if isinstance(error, OSError) and storage.is_system_error(error):
                raise
            raise _BrokenError(f"can't be read: {one_line(error)}") from error
    if ending in ("csv", "tsv"):
        yield from enumerate(_csv_rows(text, "\t" if ending == "tsv" else ","), 1)
    elif ending == "json":
        yield from enumerate(_json_rows(text.read()), 1)
    else:
        for number, line in enumerate(text.read().split("\n"), 1):
            if line.strip():
                yield number, _parsed(line, f"line {number} is no JSON")


def _parsed(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise _BrokenError(f"{what}: {one_line(error)}") from error


def _json_rows(text: str) -> list[Any]:
    """The rows of a list, of `{"data": [...]}`, or the paragraphs of SQuAD's format."""
    read = _parsed(text, "no JSON") if text.strip() else []
    if isinstance(read, dict):
        read = next((read[key] for key in ("data", "examples", "instances") if key in read), [read])
    if not isinstance(read, list):
        raise _BrokenError("neither a list of items nor an object with the list `data`")
    rows: list[Any] = []
    for row in read:
        below = row.get("paragraphs") if isinstance(row, dict) else None
        rows += below if isinstance(below, list) else [row]
    return rows


def _csv_rows(text: io.TextIOWrapper, delimiter: str) -> Iterator[dict[str, str]]:
    limit = csv.field_size_limit(_CSV_FIELD)
    try:
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        header = next(reader, [])
        for row in reader:
            if row and len(row) != len(header):
                raise _BrokenError(
                    f"line {reader.line_num} has {len(row)} fields and the first line {len(header)}"
                )
            if row:
                yield dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise _BrokenError(f"line {reader.line_num} is no CSV: {one_line(error)}") from error
    finally:
        csv.field_size_limit(limit)
