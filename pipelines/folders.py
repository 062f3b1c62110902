"""Which files of a folder are documents, where bukvar wrote the folder: those of a stage lie beside receipts
and reports, those of a dataset beside manifest and card; a run's folder holds the same documents once a
stage."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from corpus import storage
from corpus.errors import UsageError
from corpus.inputs import SHARD
from corpus.receipts import PLAN
from pipelines.layout import RECIPE, stages_of
from pipelines.manifest import MANIFEST, is_dataset

#: Folder of a dataset's documents; its samples lie elsewhere and are in it, too.
_DATA: Final = "data/"


def documents_of(folder: str, paths: Collection[str]) -> Callable[[str], bool]:
    """Whether a path below a folder may be one of its documents. `paths`: all files below it.

    Raises UsageError for the folder of a whole run.
    """
    if RECIPE in paths and (stages := stages_of(folder)):
        raise UsageError(
            f"{folder}: a run's folder, which holds the documents of every stage; name one stage's, such as "
            f"{storage.join(folder, _last_of(stages))}"
        )
    if MANIFEST in paths and is_dataset(folder):
        return lambda path: path.startswith(_DATA) and path.endswith(SHARD)
    if PLAN in paths:
        return lambda path: path.endswith(SHARD)
    return lambda _: True


def _last_of(stages: Collection[str]) -> str:
    """The last stage of a run that passes documents on."""
    from pipelines import registry

    found = [stage for stage in stages if registry.row_of(stage).documents]
    return found[-1] if found else next(iter(stages))
