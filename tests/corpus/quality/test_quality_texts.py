"""Texts for the quality model: how they are cut, and that the same material gives the same rows."""

from __future__ import annotations

import json
import random
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.quality.fit import read_documents
from scripts.fit import quality_texts as texts

STORY = "\n".join(
    f"Строка {n} рассказа о мельнике, который встаёт до зари и смотрит на воду." for n in range(300)
)
LONG = "Это предложение достаточно длинно, чтобы несколько таких стали документом"


def sentences(count: int, name: str = "") -> str:
    return "".join(f"{name}# sent_id = {n}\n# text = {LONG} {n}.\n1\tЭто\t_\n\n" for n in range(count))


@pytest.fixture
def material(tmp_path: Path) -> tuple[Path, Path]:
    """A little of every source, in the folders that SOURCES names."""
    data, repositories = tmp_path / "data", tmp_path / "repositories"
    ntrex = [{"lang": lang, "source": "NTREX-128", "text": f"{LONG}."} for lang in ("rus", "ukr") * 20]
    for source in texts.SOURCES:
        root = data if source.path.split("/")[0] in texts.DATA else repositories
        path = root / source.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if source.name == "ntrex":
            pq.write_table(pa.Table.from_pylist(ntrex), path)
        elif path.suffix == ".parquet":
            pq.write_table(pa.table({"text": [STORY, STORY.upper()]}), path)
        elif path.suffix == ".xz":
            write_jokes(path)
        elif path.suffix == ".csv":
            path.write_text("label,text\n" + "skip,х\n" + f'neutral,"{LONG} и {LONG}"\n' * 300, "utf-8")
        elif path.suffix == ".jsonl":
            lines = [json.dumps({"context": f"{LONG} {n}. {LONG} о болезнях."}) for n in (1, 1, 2, 3)]
            path.write_text("\n".join(lines), "utf-8")
        elif path.suffix == ".conllu":
            path.write_text("".join(f"# newdoc id = {n}\n{sentences(3)}" for n in range(4)), "utf-8")
        elif path.suffix == ".txt":
            path.write_text(f"{LONG}.\\nИ ещё одно\n" * 30, "utf-8")
        else:
            path.mkdir(exist_ok=True)
            write_pages(path)
    names = texts.UD
    for part in ("dev", "test"):
        taiga = sentences(40, "# genre = social\n") + sentences(40, "# genre = fiction-kids\n")
        (repositories / f"{names}Taiga" / f"ru_taiga-ud-{part}.conllu").write_text(taiga, "utf-8")
        gsd = f"# text = {LONG} -- ``{LONG}'', {LONG} &amp; {LONG}\n# text = Мало.\n"
        (repositories / f"{names}GSD" / f"ru_gsd-ud-{part}.conllu").write_text(gsd, "utf-8")
    pud = "".join(f"# newdoc id = {name}\n{sentences(5)}" for name in ("n01", "w01", "n02"))
    (repositories / f"{names}PUD" / "ru_pud-ud-test.conllu").write_text(pud, "utf-8")
    return data, repositories


def write_pages(folder: Path) -> None:
    """Pages of a documentation and an archive of official texts."""
    page = f"---\ntitle: x\n---\n# Заголовок\n\n{LONG}, [ссылка](https://a/).\n" + f"{LONG}.\n" * 4
    (folder / "page.md").write_text(page, "utf-8")
    (folder / "english.md").write_text("Not translated yet. " * 40, "utf-8")
    with zipfile.ZipFile(folder / "part.zip", "w") as archive:
        archive.writestr("part/1.txt", STORY)
        archive.writestr("__MACOSX/part/1.txt", "x" * 400)


def write_jokes(path: Path) -> None:
    content = "\n\n\n".join(f"- {LONG}?\n- {LONG} {n}." for n in range(400)).encode()
    with tarfile.open(path, "w:xz") as archive:
        info = tarfile.TarInfo("dialogues.txt")
        info.size = len(content)
        archive.addfile(info, BytesIO(content))


def test_a_piece_is_whole_lines_where_lines_are_short() -> None:
    lines = set(STORY.split("\n"))
    for seed in range(50):
        cut = texts.piece(STORY, random.Random(seed)).split("\n")
        assert set(cut[:-1]) <= lines
        assert any(line.startswith(cut[-1]) for line in lines)


def test_a_line_without_end_is_cut_where_the_piece_begins_and_ends() -> None:
    text = "слово " * 5000
    sizes = {len(texts.piece(text, random.Random(seed))) for seed in range(200)}
    assert min(sizes) >= 10 ** texts.SIZES[0] - 3
    assert max(sizes) <= 10 ** texts.SIZES[1]


def test_runs_take_each_item_once_and_in_order() -> None:
    items = [str(n) for n in range(101)]
    found = list(texts.runs(items, texts.MESSAGES, random.Random(1)))
    assert [item for run in found for item in run] == items
    assert {len(run) for run in found[:-1]} <= set(texts.MESSAGES)


def test_the_same_material_gives_the_same_file_and_a_fit_reads_it(
    material: tuple[Path, Path], tmp_path: Path
) -> None:
    data, repositories = material
    files = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for file in files:
        command = ["--data", str(data), "--repositories", str(repositories), "--out", str(file)]
        assert texts.main(command) == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    documents = read_documents(files[:1])
    assert documents.good.all()
    parts = {"pud_news", "pud_wiki"}
    assert set(documents.source) == {source.name for source in texts.SOURCES} - {"pud"} | parts
    assert set(documents.source[~documents.fit]) == {"rusentitweet"}
    by_source = dict(zip(documents.source.tolist(), documents.texts, strict=True))
    assert f" — «{LONG}», {LONG} & " in by_source["gsd"]
    assert by_source["umputun_ham"].count("\nИ ещё одно") >= 3
    assert by_source["pud_wiki"].count(LONG) == 5
    assert "Not translated" not in by_source["react"]
    assert "болезнях" in by_source["rumeddanet"]
    assert {text.count(LONG) for text in by_source["udpoetry"].split("\n")} == {1}
    assert set(by_source["rurebus"].split("\n")) <= set(STORY.split("\n"))


def test_what_is_left_of_escapes_in_messages_is_put_back() -> None:
    assert (
        texts.unescaped("Не все полезны.nВ остальном -u003e хорошо\\nда")
        == "Не все полезны.\nВ остальном -> хорошо\nда"
    )
    assert texts.unescaped("плохо былоnnТак вот )nих") == "плохо было\nТак вот )\nих"
    assert texts.unescaped("на 20Ah, сегодnя, Linux") == "на 20Ah, сегодnя, Linux"


def test_a_page_is_read_without_its_markdown() -> None:
    marked = (
        "---\nid: 1\n---\n## О [компонентах](/a)\n\n<!-- x -->**Это** `код` &lt;b&gt;:\n```js\nlet a\n```\n"
    )
    assert texts.plain(marked) == "О компонентах\n\nЭто код <b>:\nlet a\n\n"


def test_a_source_draws_alike_whatever_is_in_sources_of_another_seed(material: tuple[Path, Path]) -> None:
    every = list(texts.documents(*material))
    seven = tuple(source for source in texts.SOURCES if source.seed == 7)
    names = {source.name for source in seven} | {"pud_news", "pud_wiki"}
    assert list(texts.documents(*material, seven)) == [row for row in every if row["source"] in names]


def test_a_missing_source_is_named_with_its_licence(
    material: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, repositories = material
    (repositories / "umputun+tg-spam" / "data" / "ham-samples.txt").unlink()
    command = ["--data", str(data), "--repositories", str(repositories), "--out", str(tmp_path / "out")]
    assert texts.main(command) == 1
    assert "ham-samples.txt: umputun_ham (MIT) is not there" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
