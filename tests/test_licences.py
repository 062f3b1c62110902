"""One rule says which texts the vocabularies and the ready tokens of the package were learnt from."""

from __future__ import annotations

import pytest

from scripts.licences import COUNTED, SHARE_ALIKE
from tests.bench import english_texts, russian_texts
from tokenizer.adapt import ready
from tokenizer.adapt.ready import Addition
from tokenizer.named import NAMES, about


@pytest.mark.parametrize("source", [*russian_texts.SOURCES, *english_texts.SOURCES], ids=str)
def test_every_source_of_the_vocabularies_has_a_counted_licence(source: russian_texts.Source) -> None:
    assert source.licence in COUNTED


@pytest.mark.parametrize("path", sorted(ready.FOLDER.glob("*.json.xz")), ids=lambda path: path.name)
def test_ready_tokens_name_counted_licences_share_alike_among_them(path: object) -> None:
    assert isinstance(path, type(ready.FOLDER))
    licences = {one["licence"] for one in Addition.read(path).about["sources"].values()}
    assert licences <= set(COUNTED)
    assert licences & set(SHARE_ALIKE)


@pytest.mark.parametrize("name", NAMES)
def test_vocabularies_name_share_alike_sources_too(name: str) -> None:
    stated = " ".join(one["licence"] for one in about(name).values())
    assert any(licence in stated for licence in SHARE_ALIKE)
    assert "NC" not in stated
    assert "GPL" not in stated


def test_what_restricts_use_is_not_counted() -> None:
    assert not [licence for licence in COUNTED if "NC" in licence or "GPL" in licence or "ND" in licence]
