"""Fitting: labels from gold text, and a model that is the same every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rust_ext import ContentModel
from scripts.fit import content as fit
from scripts.fit.labels import shares, weights

GOLD = "Первый абзац текста о мельнице и реке.\nВторой абзац текста, в котором говорится о хлебе и людях."


def test_blocks_of_the_gold_text_are_labelled_and_menus_are_not() -> None:
    blocks = ["О мельнице", "текста о", *GOLD.split("\n"), "Читайте о хлебе"]
    assert shares(blocks, GOLD).tolist() == [0, 0, 1, 1, 0]


def test_a_block_out_of_order_is_found_by_its_runs() -> None:
    first, second = GOLD.split("\n")
    long = "Третий, самый длинный абзац стоит в тексте раньше прочих, а на странице последним."
    assert shares([first, second, long], f"{long}\n{first}\n{second}").tolist() == [1, 1, 1]


def test_a_block_said_twice_is_labelled_once() -> None:
    first, second = GOLD.split("\n")
    assert sum(shares([first, second, second], GOLD).tolist()) == 2


def test_text_outside_weighs_at_most_four_times_the_text() -> None:
    labels = np.array([1, 0, 0], np.float32)
    words = np.array([10, 1000, 1000])
    assert weights(labels, words, 10, 1.0).tolist() == pytest.approx([1, 2**0.7, 2**0.7])


def _pages(path: Path) -> Path:
    rows = []
    for number in range(40):
        body = [f"Абзац {n} страницы {number}: слова и ещё слова о деле." for n in range(3 + number % 4)]
        menu = "".join(f"<li><a href=/{n}>Раздел {n}</a>" for n in range(5))
        text = "".join(f"<p>{line}" for line in body)
        html = f"<ul class=menu>{menu}</ul><div>{text}</div><div>© {number}</div>"
        rows.append({"url": f"https://h{number}.ru/", "html": html, "gold_text": "\n".join(body)})
    pq.write_table(pa.Table.from_pylist([row | {"page_type": "article"} for row in rows]), path)
    return path


def test_the_same_pages_give_the_same_file_and_it_extracts(tmp_path: Path) -> None:
    pytest.importorskip("lightgbm")
    pages = _pages(tmp_path / "pages.parquet")
    for name in ("a", "b"):
        assert fit.main([str(pages), "--out", str(tmp_path / name), "--trees", "6"]) == 0
    data = (tmp_path / "a").read_bytes()
    assert data == (tmp_path / "b").read_bytes()
    page = next(fit.read_pages([pages]))
    assert fit.word_f1(ContentModel(data).extract(page.html)["text"], page.gold)[2] > 0.9


def test_all_pages_of_a_host_share_a_fold() -> None:
    assert fit.fold_of("https://www.a.ru/1", 5) == fit.fold_of("http://a.ru/2?x", 5)


def test_words_are_scored_as_multisets() -> None:
    assert fit.word_f1("а б б", "А б в") == pytest.approx((2 / 3, 2 / 3, 2 / 3))
