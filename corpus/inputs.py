"""What a task reads: an input file or a part of one, and the names that shards get from it.

A shard belongs to its input, not to a number: its name is made of the input's, so inputs that are added,
removed or renamed change nothing of the others.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

#: Ending of shards, and of the names that `stems` has made before.
SHARD: Final = ".parquet"
_OWN: Final = re.compile(r"[\w.-]{1,64}-[0-9a-f]{10}(\.p\d{6})?")
#: Endings that say only how a file is packed or what it is, and are left out of its shard's name.
_ENDINGS: Final = re.compile(r"(\.(parquet|pq|jsonl|ndjson|json|html?|xhtml|xml|txt|gz|zst|bz2|lz4))+$", re.I)


@dataclass(frozen=True)
class Part:
    """A part of an input: number `index` of those that the file is cut into, from `start` up to `stop`.

    Of Parquet these are row groups and `first` is the number of the first row; of lines they are bytes and
    `first` is the number of the first line; of crawl files they are any offsets, and the records are those
    that begin between them.
    """

    index: int
    start: int
    stop: int
    first: int = 0


@dataclass(frozen=True)
class Input:
    """One input file, or a part of it. `name` identifies it in keys, `source` columns and receipts and holds
    no folder of the machine (receipts leave `path` out); `digest` is of its content, so a file that moved is
    the same input. `text_column` is the column that holds the text, where documents are read.
    """

    path: str
    name: str
    digest: str
    size: int = 0
    rows: int | None = None
    text_column: str = "text"
    part: Part | None = None
    #: One schema over all files that are read together, serialised; empty where theirs are equal.
    schema: bytes = b""
    #: Of a Parquet file whose footer was read, the digest of its own schema: equal ones need not be compared.
    #: Of a crawl file, how its records lie in it (`corpus.extract.warc.layout_of`).
    shape: str = ""

    @property
    def file_bytes(self) -> int:
        """Bytes that the whole file has at least: a part's end says so, where it is no number of row
        groups."""
        return max(self.size, self.part.stop) if self.part and self.rows is None else self.size

    def identity(self) -> list[object]:
        """What of it decides a task's output, as plain data."""
        part = [self.part.index, self.part.start, self.part.stop] if self.part else None
        schema = hashlib.sha256(self.schema).hexdigest() if self.schema else ""
        return [self.name, self.digest, self.text_column, part, schema]


def stems(inputs: Sequence[Input]) -> list[str]:
    """Names of the shards of inputs, without ending, one each and all different.

    The stem of a shard that another stage wrote stays, so one document's shards have one name in all stages.
    Another file's is its base name, made safe for any file system, and ten digits of a digest of its whole
    name. Raises ValueError where two inputs are the same.
    """
    own = [_own_stem(source) for source in inputs]
    counts = Counter(own)
    # A shard may lie beside the very file that it was made of.
    made = {made_stem(source) for stem, source in zip(own, inputs, strict=True) if not stem}
    found = [
        stem if stem and counts[stem] == 1 and stem not in made else made_stem(source)
        for stem, source in zip(own, inputs, strict=True)
    ]
    twice = [name for name, count in Counter(found).items() if count > 1]
    if twice:
        raise ValueError(f"two inputs have the name {twice[0]}; name each file once")
    return found


def _own_stem(source: Input) -> str:
    base = source.name.rpartition("/")[2]
    return _with_part(base.removesuffix(SHARD), source) if is_shard(source.name) else ""


def is_shard(name: str) -> bool:
    """Whether a file is named as a stage names its shards."""
    base = name.rpartition("/")[2]
    return base.endswith(SHARD) and bool(_OWN.fullmatch(base.removesuffix(SHARD)))


def made_stem(source: Input) -> str:
    """The stem of an input that no stage wrote."""
    base = _ENDINGS.sub("", source.name.rpartition("/")[2])
    safe = re.sub(r"[^A-Za-z0-9.]+", "-", base).strip("-.")[:48] or "input"
    digest = hashlib.sha256(source.name.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return _with_part(f"{safe}-{digest}", source)


def _with_part(stem: str, source: Input) -> str:
    return f"{stem}.p{source.part.index:06d}" if source.part else stem
