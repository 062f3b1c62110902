"""The files that lie beside the shards of a published dataset, all made from its manifest."""

from __future__ import annotations

from corpus import storage
from pipelines import croissant, summary
from pipelines.card import CARD, make_card
from pipelines.manifest import Manifest


def write_beside(target: str, manifest: Manifest) -> None:
    """Write the card, croissant.json and the draft of a public summary."""
    storage.write_bytes(storage.join(target, CARD), make_card(manifest).encode())
    croissant.write(target, manifest)
    summary.write(target, manifest)
