"""Pages beside their texts, duplicates side by side, sentences by tokens: what a report shows of a run."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow.dataset as ds
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.extract import content
from corpus.mask import mask_text, mask_texts
from pipelines import cli, pages, sentences
from pipelines.account import StageResult
from pipelines.duplicates import compared, pairs_of_duplicates
from pipelines.pages import find_input, pages_beside_texts
from pipelines.report import read_results
from tests.pipelines.stages import write_texts
from tokenizer.baselines import Baseline

CRAWL = Path(__file__).parent.parent / "data/crawl"
FILES = ("crawl-00004.warc.gz", "crawl-00008.arc.gz", "crawl-00009.warc.wet.gz")
PAGE = """<title>Река</title><nav><a href=/>Главная</a> <a href=/n>Новости</a></nav>
<article><h1>Река поднялась</h1><p>{}</p><p>Звоните: ivan.petrov@mail.ru, дом стоит у реки.</p></article>
<footer>Все права защищены</footer>"""
LONG = "Весной река поднялась выше обычного, и дорога к мосту ушла под воду. " * 6


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over three of the bundled crawl's files, and one page in a file of its own."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "crawl").mkdir()
    for name in FILES:
        shutil.copy(CRAWL / name, folder / "crawl" / name)
    (folder / "crawl/page.html").write_text(PAGE.format(LONG))
    recipe = folder / "r.toml"
    recipe.write_text('[input]\npaths = ["crawl"]\n[run]\nstages = ["extract", "dedup"]\n')
    assert cli.run(["run", str(recipe), "--out", str(folder / "run"), "--executor", "inline", "-q"]) == 0
    return folder / "run"


def places(run: Path) -> list[tuple[str, str, str]]:
    """Address, source and text of all documents that extraction kept."""
    files = sorted(map(str, (run / "extract").glob("*.parquet")))
    rows = ds.dataset(files).to_table(columns=["url", "source", "text"]).to_pylist()
    return [(row["url"], row["source"], row["text"]) for row in rows]


class TestPages:
    def test_each_page_is_found_again_and_gives_the_text_that_the_run_has(
        self, run: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pages, "PAGES", 1000)
        known = places(run)
        found, missing = pages_beside_texts(str(run), [(url, source) for url, source, _ in known])
        assert missing == []
        # A WET file's records are text: there is no page beside them.
        assert {one.source for one in found} == {source for _, source, _ in known if ".wet." not in source}
        texts = {source: text for _, source, text in known}
        same = [one.text[:80] == mask_text(texts[one.source])[:80] for one in found]
        assert sum(same) > 0.8 * len(same)  # the others were repaired afterwards

    def test_blocks_are_the_page_s_in_order_and_tell_kept_from_left(self, run: Path) -> None:
        ((url, source, _),) = [one for one in places(run) if "page.html" in one[1]]
        ((page,), _) = pages_beside_texts(str(run), [(url, source)])
        assert [(b.text[:8], b.kept) for b in page.blocks if "Главная" not in b.text] == [
            ("Река под", True),
            ("Весной р", True),
            ("Звоните:", True),
            ("Все прав", False),
        ]
        assert all("ivan.petrov" not in block.text for block in page.blocks)
        assert "ivan.petrov" not in page.text

    def test_a_crawl_that_moved_is_named_or_found_where_one_says(self, run: Path, tmp_path: Path) -> None:
        few = [(url, source) for url, source, _ in places(run) if "00004" in source][:2]
        shutil.copy(run / "_recipe.toml", tmp_path / "kept.toml")
        moved = tmp_path / "run"
        shutil.copytree(run, moved)
        text = (moved / "_recipe.toml").read_text().replace(str(run.parent), str(tmp_path / "nowhere"))
        (moved / "_recipe.toml").write_text(text)
        assert pages_beside_texts(str(moved), few) == ([], [source for _, source in few])
        found, missing = pages_beside_texts(str(moved), few, [str(run.parent / "crawl")])
        assert (len(found), missing) == (2, [])

    def test_the_report_shows_them_and_says_what_is_out_of_reach(self, run: Path, tmp_path: Path) -> None:
        assert cli.run(["report", str(run), "--out", str(tmp_path / "a.html")]) == 0
        html = (tmp_path / "a.html").read_text()
        assert '<span class="block left"' in html
        assert '<span class="block kept"' in html
        assert str(run.parent) not in html
        gone = ["--crawl", str(tmp_path)]
        assert cli.run(["report", str(run), "--out", str(tmp_path / "b.html"), *gone]) == 0
        assert "is not in reach" in (tmp_path / "b.html").read_text()
        assert cli.run(["report", str(run), "--crawl", str(tmp_path / "nowhere")]) == 2

    def test_a_file_of_another_crawl_by_the_same_name_shows_no_page_of_it(self, run: Path) -> None:
        source = next(source for _, source, _ in places(run) if "00004" in source)
        assert pages_beside_texts(str(run), [("http://another.ru/", source)]) == ([], [source])

    @pytest.mark.parametrize(
        "source",
        [
            "nowhere.warc.gz:0",
            "crawl-00004.warc.gz:0",  # a warcinfo record
            "crawl-00004.warc.gz:7",
            "crawl-00004.warc.gz:1292",  # a redirection
            "no place",
            ":",
            "",
        ],
    )
    def test_a_source_that_leads_nowhere_is_missing(self, run: Path, source: str) -> None:
        assert pages_beside_texts(str(run), [("http://a.ru/", source)]) == ([], [source])

    @pytest.mark.parametrize(
        ("argument", "name", "found"),
        [
            ("crawl", "crawl/a.warc", True),
            ("crawl/a.warc", "a.warc", True),
            ("crawl/*.warc", "a.warc", True),
            ("x/crawl", "x/crawl/a.warc", True),
            ("crawl", "other/a.warc", False),
            ("crawl", "a.warc", True),
        ],
    )
    def test_inputs_by_the_names_that_they_got(
        self, tmp_path: Path, argument: str, name: str, found: bool
    ) -> None:
        for folder in ("crawl", "x/crawl"):
            (tmp_path / folder).mkdir(parents=True)
            (tmp_path / folder / "a.warc").write_text("")
        place = find_input([str(tmp_path / argument)], name)
        assert (place is not None and Path(place).is_file()) is found


class TestBlocks:
    @given(
        st.lists(
            st.sampled_from(["<p>Река поднялась. ", "<li>", "<a href=x>Меню", "</p>", "текст "]), max_size=40
        )
    )
    def test_the_blocks_kept_are_the_lines_of_the_text(self, parts: list[str]) -> None:
        html = "".join(parts)
        found = content.extract(html)
        kept = [word for block in content.blocks(html) if block.kept for word in block.text.split()]
        assert kept == [word for word in found.text.split() if word != "-"]

    @given(
        st.lists(
            st.text("ая1 @.", max_size=20) | st.sampled_from(["ivan@mail.ru", "+7 912 345-67-89"]), max_size=8
        )
    )
    def test_masking_texts_together_leaves_what_masking_leaves_of_all(self, texts: list[str]) -> None:
        apart = mask_texts(texts)
        assert len(apart) == len(texts)
        assert "".join(apart).count("<") >= mask_text("\n".join(texts)).count("<")
        assert "ivan@mail" not in "".join(apart)

    def test_an_identifier_over_two_blocks_is_masked_in_both(self) -> None:
        assert mask_texts(["паспорт 45 08", "123456 выдан"]) == ["паспорт <ПАСПОРТ>", "<ПАСПОРТ> выдан"]


class TestDuplicates:
    @given(st.lists(st.sampled_from("абвг"), max_size=12), st.lists(st.sampled_from("абвг"), max_size=12))
    def test_pieces_are_both_texts_and_what_is_not_apart_is_equal(
        self, one: list[str], other: list[str]
    ) -> None:
        left, right = compared(one, other)
        assert "".join(text for text, _ in left) == "".join(one)
        assert "".join(text for text, _ in right) == "".join(other)
        assert [t for t, own in left if not own] == [t for t, own in right if not own]

    def test_pairs_name_the_document_kept(self, tmp_path: Path) -> None:
        texts = [LONG + "Один.", LONG + "Два.", "Кот спит на окне, и дождь идёт с утра."]
        write_texts(tmp_path / "in/a.parquet", texts, url=[f"http://a.ru/{n}" for n in range(3)])
        out = tmp_path / "out"
        assert cli.run(["dedup", str(tmp_path / "in"), "--out", str(out), "--executor", "inline", "-q"]) == 0
        (result,) = read_results(str(out))
        (pair,) = pairs_of_duplicates(result)
        assert {pair.kept_url, pair.dropped_url} == {"http://a.ru/0", "http://a.ru/1"}
        assert {text.strip() for text, own in (*pair.kept, *pair.dropped) if own} == {"Один.", "Два."}

    def test_a_folder_without_duplicates_has_none(self, tmp_path: Path) -> None:
        empty = StageResult("dedup", str(tmp_path), 0, 0, 0, 0, {})
        assert pairs_of_duplicates(empty) == []


class TestSentences:
    @given(st.text("аб😀 я", min_size=1, max_size=20), st.integers(1, 5))
    def test_pieces_are_the_sentence_and_count_its_tokens(self, text: str, size: int) -> None:
        """A tokenizer of `size` bytes a token cuts letters in two."""
        data = text.encode()
        tokens = [data[at : at + size] for at in range(0, len(data), size)]

        def encode(_: object) -> tuple[np.ndarray, np.ndarray]:
            return np.arange(len(tokens), dtype=np.uint32), np.array([0, len(tokens)])

        one = Baseline("x", encode, lambda _: text, tuple(tokens))
        found = sentences.cut(one, text)
        assert "".join(piece for piece, _ in found) == text
        assert sum(count for _, count in found) == len(tokens)

    def test_sentences_come_from_all_domains_and_hold_no_personal_data(self) -> None:
        good = "Река весной поднялась выше обычного, и дорога к старому мосту ушла под воду на неделю."
        other = "В мастерской чинили часы, и запах масла стоял с самого утра до позднего тихого вечера."
        bad = (
            "Пишите по адресу ivan.petrov@mail.ru, и мы ответим вам в течение двух рабочих дней обязательно."
        )
        found = sentences.sentences({"a": [f"{bad} {good}"] * 9, "b": [other, good], "c": [bad], "d": [""]})
        assert found == [("a", good), ("b", other)]
