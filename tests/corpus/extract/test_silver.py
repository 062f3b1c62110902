"""Silver labels: what two extractors agree on, and what they don't."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from scripts.fit import content as fit
from scripts.fit import silver

BODY = [
    f"Глава {n}: мельник встаёт до зари, смотрит на реку и решает, пускать ли воду на колесо. Он знает, что "
    "если к утру вода не поднимется, то и муки не будет, а без муки не будет и хлеба ни у него, ни у соседей."
    for n in range(6)
]
MENU = "Главная страница сайта, новости и погода"
NOTE = "Примечание издателя: об этой мельнице ходят разные слухи, и не всем им стоит верить."
HTML = (
    f"<div class=menu>{MENU}</div><div>" + "".join(f"<p>{line}</p>" for line in BODY) + f"<p>{NOTE}</p></div>"
)


def without_note(_html: str) -> str:
    return "\n".join(BODY)


def with_note(_html: str) -> str:
    return "\n".join([*BODY, NOTE])


def broken(_html: str) -> str:
    raise RecursionError


def test_blocks_of_both_are_text_and_blocks_of_one_are_unsure() -> None:
    verdict = silver.compare(HTML, without_note, with_note)
    assert verdict.text.split("\n") == BODY
    assert verdict.unsure == NOTE
    assert 0.8 < verdict.agreement < 1


def test_an_extractor_that_fails_agrees_with_nothing() -> None:
    assert silver.compare(HTML, without_note, broken).agreement == 0


def test_pages_without_agreement_or_words_are_left_out_and_counted() -> None:
    pages = [("a", HTML), ("b", "<p>Ничего.</p>")]
    counts: Counter[str] = Counter()
    rows = list(silver.label(iter(pages), (without_note, with_note), 0.8, counts))
    assert [row["url"] for row in rows] == ["a"]
    assert counts == {"kept": 1, "too short": 1}
    assert list(silver.label(iter(pages), (without_note, broken), 0.8, counts)) == []
    assert counts["they agree too little"] == 2


def test_unsure_blocks_weigh_nothing_in_a_fit() -> None:
    page = fit.Page("https://a.ru/", HTML.encode(), "\n".join(BODY), None, 1.0, "silver", "own")
    sure, unsure = fit.rows_of(page), fit.rows_of(replace(page, unsure=NOTE))
    assert len(sure.labels) == len(BODY) + 2
    assert len(unsure.labels) == len(BODY) + 1
    assert np.array_equal(unsure.labels, sure.labels[:-1])


def test_the_command_writes_pages_for_the_fit(tmp_path: Path) -> None:
    pytest.importorskip("justext")
    page = f"<html><head><title>Мельница</title></head><body><article>{HTML}</article></body></html>"
    (tmp_path / "page.html").write_text(page, "utf-8")
    out = tmp_path / "silver.parquet"
    command = [str(tmp_path / "page.html"), "--out", str(out), "--kind", "article", "--license", "CC0"]
    assert silver.main(command) == 0
    assert pq.read_schema(out).equals(silver.SCHEMA)
    (labelled,) = fit.read_pages([out])
    assert set(BODY) <= set(labelled.gold.split("\n")) | set(labelled.unsure.split("\n"))
    assert MENU not in labelled.gold
    assert (labelled.kind, labelled.weight, labelled.source) == ("article", silver.WEIGHT, "silver")
    assert labelled.licence == "CC0; labels by agreement of trafilatura and justext"


def test_one_extractor_does_not_agree_with_itself(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        silver.main(["x.html", "--out", str(tmp_path / "x"), "--by", "justext", "justext"])
