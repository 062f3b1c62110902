"""The model file: what Python writes is what Rust reads, and both compute the same."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.extract.content import KINDS, MODEL, extract, load
from corpus.trees import Ensemble, mean
from rust_ext import ContentModel, content_blocks, content_feature_names
from scripts.fit.content_model import from_bytes, header_of, to_bytes
from tests.oracles.trees import score

FILE = from_bytes(MODEL.read_bytes())

TAGS = "<div class=post> </div> <p> <li> <td> <table> </table> <a href=x> </a> <h2> <br> <b> <pre> </pre>"
ODDS = "<script> </script> <!-- --> &nbsp; &#1078; \x00 < > ' \" 漢字 🙂 12.05.2020 comments"
WORDS = ["Слово за словом, и дальше. ", "Читайте также ", "\n"]
PIECES = st.sampled_from(TAGS.split(" ") + ODDS.split(" ") + WORDS)
PAGES = st.lists(PIECES, max_size=60).map("".join)


def chances_in_python(html: str) -> tuple[list[float], list[float]]:
    """What `ContentModel.chances` gives, by the slow way."""
    _, rows, page = content_blocks(html)
    margins = [float(score(FILE.ensembles[f"kind.{kind}"], page[None, :])[0]) for kind in KINDS]
    powers = np.array([np.float32(math.exp(margin)) for margin in margins], np.float32)
    total = np.float32(0)
    for power in powers:
        total += power
    kinds = powers / total
    chances = [_chance(margin) for margin in score(FILE.ensembles["block"], rows)]
    weight = kinds[0] + kinds[6]
    if "expert" in FILE.ensembles and weight > np.float32(FILE.parameters.get("expert.least", 0.1)):
        second = [_chance(margin) for margin in score(FILE.ensembles["expert"], rows)]
        chances = [a + weight * (b - a) for a, b in zip(chances, second, strict=True)]
    return [float(chance) for chance in chances], [float(kind) for kind in kinds]


def _chance(margin: np.float32) -> np.float32:
    return np.float32(1 / (1 + math.exp(-float(margin))))


@settings(max_examples=60, deadline=None)
@given(PAGES)
def test_rust_and_python_score_every_page_alike_to_the_last_bit(html: str) -> None:
    assert load().chances(html) == chances_in_python(html)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300) | PAGES)
def test_any_text_is_a_page_and_extraction_is_a_function(html: str) -> None:
    first = extract(html)
    assert first == extract(html)
    assert "\x00" not in first.text


def test_the_file_in_the_package_is_small_and_says_what_it_was_fitted_to() -> None:
    data = MODEL.read_bytes()
    assert len(data) <= 200_000
    header = header_of(data)
    assert {source["source"] for source in header["pages"]} >= {"wcxb", "gold_pages_ru"}
    assert all(source["annotations"] for source in header["pages"])


def test_writing_what_was_read_gives_the_same_file() -> None:
    assert to_bytes(FILE, content_feature_names()) == MODEL.read_bytes()


def test_the_cut_of_a_page_is_that_of_its_kinds() -> None:
    html = "<nav><a href=a>Главная</a></nav>" + "".join(
        f"<p>Абзац {n}, в котором довольно слов, чтобы быть текстом, и запятая.</p>" for n in range(4)
    )
    texts, _, _ = content_blocks(html)

    def lines_at(cut: float) -> int:
        parameters = FILE.parameters | {"article.floor": 0.5} | {f"cut.{kind}": cut for kind in KINDS}
        model = ContentModel(to_bytes(replace(FILE, parameters=parameters), content_feature_names()))
        return len(str(model.extract(html)["text"]).splitlines())

    assert lines_at(0) == len(texts)
    assert lines_at(1000) == 1  # nothing reaches it: the best block
    assert lines_at(0) > lines_at(1) > lines_at(1000)


def test_a_mean_of_ensembles_has_the_mean_margins() -> None:
    _, rows, _ = content_blocks(
        "<h1>Мельница</h1><p>Слово за словом, и дальше.<ul><li><a href=x>Меню</a></ul>"
    )
    trees = FILE.ensembles["block"].trees
    parts = [Ensemble(trees[:20]), Ensemble(trees[20:50], base=0.25)]
    expected = (score(parts[0], rows) + score(parts[1], rows)) / 2
    assert score(mean(parts), rows) == pytest.approx(expected, abs=1e-5)


def test_a_damaged_file_is_refused() -> None:
    data = bytearray(MODEL.read_bytes())
    data[len(data) // 2] ^= 1
    with pytest.raises(ValueError, match="damaged"):
        ContentModel(bytes(data))
    for length in (0, 7, 100):
        with pytest.raises(ValueError, match=r"cut short|damaged"):
            ContentModel(bytes(data[:length]))


def test_a_model_of_other_features_is_refused() -> None:
    with pytest.raises(ValueError, match="fit it again"):
        ContentModel(to_bytes(FILE, [*content_feature_names()[:-1], "another"]))
