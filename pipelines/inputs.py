"""From what a person names on a command line to the list of input files, with names and digests.

Arguments are files, folders, globs or URLs of a pyarrow filesystem. The files' *names* stand in receipts,
keys and `source` columns in place of their paths, so that a crawl which moved to another disk is the same
crawl: a file's name is its path below the folder that was named (that folder's own name included), or its
base name; where two names are equal, both are prolonged by parent folders until they differ.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from corpus import globs, storage
from corpus.documents import DOCUMENT_ENDINGS, PARQUET_ENDINGS, TEXT_ENDINGS, is_parquet
from corpus.errors import UsageError
from corpus.extract.containers import CRAWL
from corpus.extract.inputs import accepts as is_crawl
from corpus.extract.warc import HEAD_BYTES, layout_of
from corpus.inputs import Input
from corpus.receipts import PLAN, OutputFile, read_folder
from corpus.stage import Side, Stage
from corpus.storage import File
from pipelines.digests import Digests
from pipelines.folders import documents_of
from tokenizer import named
from tokenizer.vocabulary import folder_of

#: Endings that a folder is searched for, by what the stage reads (`registry.READS`). Of crawls they are said
#: in messages; the first bytes decide.
ENDINGS: Final[dict[str, tuple[str, ...]]] = {
    "crawls": (".warc", ".wet", ".arc", ".parquet", ".jsonl", ".html", ".htm", "MediaWiki .xml"),
    "documents": DOCUMENT_ENDINGS,
    "texts": DOCUMENT_ENDINGS + TEXT_ENDINGS,
    "parquet": PARQUET_ENDINGS,
}
#: A file up to this size is hashed whole; of a larger one, its size and 16 evenly spaced pieces (the first
#: and the last included), since a crawl of a terabyte would take an hour to read before any work started.
WHOLE: Final = 16 << 20
PIECE: Final = 256 << 10
PIECES: Final = 16
#: Paths of files that are left out of a folder without a word: notes, sums, indexes, what pages are made of.
_BESIDE: Final = re.compile(
    r"(^|/)([A-Z][A-Z\d_-]+(\.[a-z]+)?(/|$)|index\.tsv$)"
    r"|\.(md|rst|cdxj?|idx|md5|sha\d+|crc|log|toml|ya?ml|json|css|js|svg|png|jpe?g|gif|ico|webp|woff2?)$"
)
#: Folders that are looked at for receipts: a stage's shards lie in one, somebody's data in thousands.
_FOLDERS: Final = 64


def inputs_of(
    reads: str,
    arguments: Sequence[str],
    text_column: str = "text",
    digests: Digests | None = None,
    out: str = "",
    notes: list[str] | None = None,
) -> list[Input]:
    """Input files of a stage that reads this kind (`registry.READS`), from what a person named. `out`: where
    the output goes, `notes`: what is left out, as for `resolve`."""
    found = resolve(arguments, ENDINGS[reads], is_crawl if reads == "crawls" else None, digests, out, notes)
    return [dataclasses.replace(source, text_column=text_column) for source in found]


def sides_of(stage: Stage, later: Collection[str] = ()) -> tuple[Stage, tuple[Side, ...]]:
    """The stage with whole locations in the parameters that name files, and the files that they stand for.

    A folder stands for all its files but those whose names begin with `_` or a dot. Raises UsageError for
    what is not there. Parameters in `later` name what another stage is yet to make. A vocabulary of the
    package (`tokenizer.named`) keeps its name, which every machine knows, and stands for its files.
    """
    found, whole = [], {}
    for field in dataclasses.fields(stage):  # type: ignore[arg-type]  # no protocol says "dataclass"
        value = getattr(stage, field.name)
        if not field.metadata.get("input") or not value or value in field.metadata.get("not_files", ()):
            continue
        locations = (value,) if isinstance(value, str) else tuple(value)
        parameter = f"{stage.name}.{field.name}"
        names = named.NAMES if field.metadata.get("tokenizer") else ()
        files = (
            []
            if field.name in later
            else [
                file
                for one in locations
                for file in _side_files(
                    parameter, str(folder_of(one)) if _is_named(field, one) else one, names
                )
            ]
        )
        found.append(Side(field.name, tuple(files)))
        absolute = tuple(one if _is_named(field, one) else storage.absolute(one) for one in locations)
        whole[field.name] = absolute[0] if isinstance(value, str) else absolute
    return dataclasses.replace(stage, **whole), tuple(found)  # type: ignore[type-var]  # as above


def local_tokenizer(location: str) -> Path | None:
    """A tokenizer as a local path, or the name of one of the package; None on an object store."""
    return Path(location) if named.is_named(location) else storage.local_path(location)


def _is_named(field: dataclasses.Field[Any], location: str) -> bool:
    return bool(field.metadata.get("tokenizer")) and named.is_named(location)


def _side_files(parameter: str, location: str, names: Sequence[str]) -> list[Input]:
    kind = storage.info(location).type
    if kind == fs.FileType.NotFound:
        ready = f"; the ready vocabularies are {', '.join(names)}" if names else ""
        raise UsageError(f"{parameter}: {location}: no such file or folder{ready}")
    if kind == fs.FileType.File:
        return [_input(location, storage.base_name(location), storage.file(location), Digests())]
    root = storage.base_name(location)
    below = {path: file for path, file in storage.list_tree(location).items() if not _is_hidden(path)}
    if not below:
        raise UsageError(f"{parameter}: {location}: an empty folder")
    with ThreadPoolExecutor(16) as pool:
        return list(
            pool.map(
                lambda path: _input(storage.join(location, path), f"{root}/{path}", below[path], Digests()),
                below,
            )
        )


def _is_hidden(path: str) -> bool:
    return any(part.startswith(("_", ".")) for part in path.split("/"))


def resolve(
    arguments: Sequence[str],
    endings: tuple[str, ...],
    accepts: Callable[[str], bool] | None = None,
    digests: Digests | None = None,
    out: str = "",
    notes: list[str] | None = None,
) -> list[Input]:
    """Input files of the arguments, sorted by name. What lies in the folder `out`, where the output goes, is
    no input of a folder or glob around it. `notes` gets what a person should know of files of folders that
    are left out. Raises UsageError where an argument names nothing readable."""
    remembered = digests or Digests()
    if not arguments:
        raise UsageError("no input: name at least one file, folder, glob or URL")
    found: dict[str, str] = {}
    files: dict[str, File] = {}
    seen: set[str] = set()
    noted = [] if notes is None else notes
    for argument in arguments:
        if out and _folder(argument) == _folder(out):
            raise UsageError(f"{argument}: it is the output folder too; name another one with --out")
        inside = out and not _folder(argument).startswith(_folder(out))
        for path, name, file in _files_of(argument, endings, accepts, out if inside else "", noted):
            if _folder(path) not in seen:  # one file may be named twice, by a folder and a glob
                seen.add(_folder(path))
                found[path], files[path] = name, file
    names = _unique(found)
    parquet = {storage.parent(path) for path in found if is_parquet(path)}
    known = _receipts_of(sorted(parquet)) if len(parquet) <= _FOLDERS else {}
    with ThreadPoolExecutor(16) as pool:
        return list(
            pool.map(
                lambda path: _input(
                    path, names[path], files[path], remembered, known.get(storage.parent(path))
                ),
                sorted(found, key=names.__getitem__),
            )
        )


def _folder(location: str) -> str:
    """A folder's location to compare with others: whole, with a slash at its end."""
    whole = storage.path_part(storage.absolute(location))
    return (whole if storage.is_url(location) else os.path.normpath(whole)).rstrip("/") + "/"


def _files_of(
    argument: str,
    endings: tuple[str, ...],
    accepts: Callable[[str], bool] | None,
    leave_out: str,
    notes: list[str],
) -> list[tuple[str, str, File]]:
    def is_input(path: str) -> bool:
        return not leave_out or not _folder(path).startswith(_folder(leave_out))

    found = globs.files(argument)
    matches = [path for path in found if is_input(path)]
    if not matches:
        raise UsageError(f"{argument}: nothing matches; check the pattern (quote it in the shell)")
    if len(matches) > 1 or matches[0] != argument:
        return [(path, storage.base_name(path), found[path] or storage.file(path)) for path in matches]
    kind = storage.info(argument).type
    if kind == fs.FileType.NotFound:
        raise UsageError(f"{argument}: no such file or folder")
    if kind == fs.FileType.File:
        _refuse_tables_of_text(argument)
        return [(argument, storage.base_name(argument), storage.file(argument))]
    files = _files_in(argument, accepts or _ends_with(endings), is_input, notes)
    if not files:
        raise UsageError(f"{argument}: no input files in this folder (looked for {_some(endings)})")
    return files


def _files_in(
    folder: str, wanted: Callable[[str], bool], is_input: Callable[[str], bool], notes: list[str]
) -> list[tuple[str, str, File]]:
    """The input files below a folder; `notes` gets those left out that may be missed."""
    root = storage.base_name(folder)
    links: list[str] = []
    tree = storage.list_tree(folder, links)
    is_document = documents_of(folder, tree)
    files, others, hidden = [], [], []
    for path, file in tree.items():
        location = storage.join(folder, path)
        if _is_hidden(path):
            # What lies in a hidden folder is ours or a program's; `._x` is what macOS puts beside x.
            name = storage.base_name(path)
            seen = not _is_hidden(storage.parent(path)) and not name.startswith("._")
            hidden += [path] if seen and wanted(location) else []
            continue
        if not is_document(path) or not is_input(location):
            continue
        if wanted(location):
            files.append((location, f"{root}/{path}", file))
        elif not _BESIDE.search(path):
            others.append(path)
    if links := [path for path in links if not _is_hidden(path)]:
        notes.append(f"{folder}: links to files that are not there are skipped: {_first(links)}")
    if hidden:
        notes.append(f"{folder}: skipped, since their names begin with _ or a dot: {_first(hidden)}")
    if others:
        notes.append(
            f"{folder}: skipped, since their names are not those of input files: {_first(others)}; "
            "to read one of them, name the file itself"
        )
    return files


def _refuse_tables_of_text(path: str) -> None:
    """Raise UsageError, saying what to do, for a file that was named and is CSV or TSV by its ending."""
    name = storage.base_name(path)
    if found := re.search(r"\.([ct]sv)(\.gz)?$", name, re.IGNORECASE):
        stem = name[: found.start()]
        raise UsageError(
            f"{path}: {found.group(1).upper()} is not read; make Parquet of it: python -c "
            f"\"import duckdb; duckdb.read_csv('{name}').write_parquet('{stem}.parquet')\""
        )


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"


def _ends_with(endings: tuple[str, ...]) -> Callable[[str], bool]:
    return lambda path: storage.path_part(path).lower().endswith(endings)


def _some(endings: tuple[str, ...]) -> str:
    """Endings for a message: the packed forms go without saying."""
    plain = [e for e in endings if not e.endswith((".gz", ".zst", ".bz2"))]
    return ", ".join(plain[:8])


def _unique(found: dict[str, str]) -> dict[str, str]:
    """Prolong equal names by parent folders until they differ."""
    names = dict(found)
    while twice := {n for n, count in Counter(names.values()).items() if count > 1}:
        for path, name in list(names.items()):
            if name in twice:
                parts = [p for p in storage.path_part(path).split("/") if p]
                longer = name.count("/") + 2
                if longer > len(parts):
                    raise UsageError(f"{path}: named twice among the inputs; name it once")
                names[path] = "/".join(parts[-longer:])
    return names


def _input(
    path: str, name: str, file: File, digests: Digests, known: Mapping[str, OutputFile] | None = None
) -> Input:
    output = (known or {}).get(storage.base_name(path))
    if output is not None and output.bytes == file.size and output.digest:
        return Input(path, name, output.digest, file.size, output.rows)
    found = digests.find(name, file)
    if found is None:
        found = _read_digest(path, file.size)
        digests.add(name, file, found)
    return Input(path, name, found[0], file.size, found[1], shape=found[2])


def _read_digest(path: str, size: int) -> tuple[str, int | None, str]:
    """Digest, rows and `Input.shape` of a file that is opened once."""

    def read(stream: Any) -> tuple[str, int | None, str]:
        digest = content_digest(stream, size)
        if CRAWL.search(storage.path_part(path)):
            stream.seek(0)
            return digest, None, layout_of(stream.read(HEAD_BYTES))
        return digest, *_footer(path, stream)

    with storage.translated(path):
        return storage.reading(path, read)


def _footer(path: str, stream: Any) -> tuple[int | None, str]:
    if not is_parquet(path):
        return None, ""
    try:
        stream.seek(0)
        footer = pq.read_metadata(stream)
        schema = footer.schema.to_arrow_schema().remove_metadata()
        return int(footer.num_rows), hashlib.sha256(schema.serialize().to_pybytes()).hexdigest()
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and storage.is_of_the_store(error):
            raise
        return None, ""


def rows_of(path: str) -> int | None:
    """Rows of a Parquet file, by its footer; None where it is none, or can't be read: its task says so."""
    return storage.reading(path, lambda stream: _footer(path, stream)[0])


def _receipts_of(folders: Iterable[str]) -> dict[str, dict[str, OutputFile]]:
    """Of folders that stages wrote: shards by name, with digests and rows from the receipts."""
    found = {}
    for folder in folders:
        receipts = read_folder(folder).receipts.values() if storage.exists(storage.join(folder, PLAN)) else ()
        found[folder] = {output.path: output for receipt in receipts for output in receipt.outputs}
    return found


def content_digest(stream: Any, size: int) -> str:
    """SHA-256 of a file, whole up to `WHOLE` bytes, else of its size and `PIECES` pieces ("sampled:...")."""
    if size <= WHOLE:
        return hashlib.sha256(stream.read()).hexdigest()
    digest = hashlib.sha256(str(size).encode())
    for n in range(PIECES):
        stream.seek((size - PIECE) * n // (PIECES - 1))
        digest.update(stream.read(PIECE))
    return "sampled:" + digest.hexdigest()
