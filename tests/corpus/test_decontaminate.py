"""Stage decontaminate: documents that hold texts of benchmarks, from each kind of file, and bad files."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.benchmarks import FIELDS, files_of, read_benchmarks
from corpus.decontaminate import REPORT, Decontaminate
from corpus.errors import UsageError
from corpus.transliteration import SCHEMES, transliterated
from tests.corpus.helpers_hosts import dropped, kept, run, write_shards

QUESTION = (
    "Какой из перечисленных ниже городов был столицей Ёлочного княжества до того, как его перенесли на север?"
)
COPY = QUESTION.upper().replace(",", " —").replace("Ё", "Е")
SHORT = "Кто первым переплыл Ладожское озеро на плоту из сосен?"  # nine words
TINY = "Да, конечно."
CLEAN = "Погода сегодня ясная, и мы пошли гулять в парк до самого вечера, потому что так решили все вместе."
ITEMS = [
    {"question": QUESTION, "choices": [SHORT, TINY], "answer": 3},
    {"question": "Сколько будет два плюс два?"},
]


def write(path: Path, items: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(i, ensure_ascii=False) + "\n" for i in items), encoding="utf-8")
    return path


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    texts = [CLEAN, f"Вот вопрос. {COPY} Ответ ниже.", f"{SHORT[:-1]}\n{CLEAN}", f"{TINY} {CLEAN}", COPY]
    rows = [{"text": text, "url": f"https://a.ru/{n}"} for n, text in enumerate(texts)]
    write_shards(tmp_path / "in", [rows[:2], [*rows[2:], {"text": None}]])
    return tmp_path / "in"


def test_documents_with_a_benchmarks_text_go(tmp_path: Path, documents: Path) -> None:
    bench = write(tmp_path / "quiz.jsonl", ITEMS)
    result = run(Decontaminate(benchmarks=(str(bench),)), documents, tmp_path / "out")
    assert result.dropped == {"contaminated": 3}
    rows = kept(tmp_path / "out")
    assert [r["text"] for r in rows if r["text"]] == [CLEAN, f"{TINY} {CLEAN}"]
    assert {(r["contaminated_by"] is None, r["contaminated_words"]) for r in rows} == {(True, 0)}
    gone = dropped(tmp_path / "out")
    assert {tuple(r["contaminated_by"]) for r in gone} == {("quiz",)}
    details = sorted(r["drop_detail"] for r in gone)
    assert details[0].startswith("benchmark=quiz item=1 words=16 shared=КАКОЙ ИЗ ")
    assert details[2] == f"benchmark=quiz item=1 words=9 shared={SHORT[:-1]}"


def test_the_report_counts_by_benchmark_and_shows_matches(tmp_path: Path, documents: Path) -> None:
    bench = write(tmp_path / "quiz.jsonl", ITEMS)
    other = write(tmp_path / "other.jsonl", [{"question": "слово " * 20}])
    run(Decontaminate(benchmarks=(str(bench), str(other))), documents, tmp_path / "out")
    report = json.loads((tmp_path / "out" / REPORT).read_text("utf-8"))
    quiz, nothing = report["benchmarks"]
    assert (quiz["items"], quiz["texts"], quiz["texts_compared_whole"], quiz["texts_too_short"]) == (
        2,
        4,
        1,
        2,
    )
    assert (quiz["documents"], quiz["items_found"], quiz["item_numbers"], quiz["words"]) == (3, 1, [1], 41)
    assert [m["url"] for m in quiz["matches"]] == [f"https://a.ru/{n}" for n in (1, 2, 4)]
    assert quiz["matches"][2]["shared"] == COPY[:-1]
    assert (nothing["name"], nothing["documents"], nothing["matches"]) == ("other", 0, [])


def test_a_passage_is_cut_and_a_document_that_is_nothing_else_goes(tmp_path: Path, documents: Path) -> None:
    bench = write(tmp_path / "quiz.jsonl", ITEMS)
    stage = Decontaminate(benchmarks=(str(bench),), action="cut")
    assert run(stage, documents, tmp_path / "out").dropped == {"contaminated": 1}
    rows = [(r["text"], r["contaminated_words"]) for r in kept(tmp_path / "out") if r["text"]]
    assert rows == [
        (CLEAN, 0),
        ("Вот вопрос. Ответ ниже.", 16),
        (CLEAN, 9),
        (f"{TINY} {CLEAN}", 0),
    ]


def test_mark_keeps_all(tmp_path: Path, documents: Path) -> None:
    bench = write(tmp_path / "quiz.jsonl", ITEMS)
    run(Decontaminate(benchmarks=(str(bench),), action="mark"), documents, tmp_path / "out")
    rows = kept(tmp_path / "out")
    assert [r["contaminated_words"] for r in rows] == [0, 16, 9, 0, 16, 0]
    assert rows[1]["text"] == f"Вот вопрос. {COPY} Ответ ниже."


@pytest.mark.parametrize("scheme", SCHEMES)
def test_transliterated_copies_go_where_asked_for(tmp_path: Path, scheme: str) -> None:
    bench = write(tmp_path / "quiz.jsonl", ITEMS)
    by_name = dict(zip(SCHEMES, transliterated(f"{QUESTION} съезд ещё хуже цели этой юлы"), strict=True))
    latin = by_name[scheme].rpartition("?")[0]
    write_shards(tmp_path / "in", [[{"text": f"{CLEAN} {latin} {CLEAN}"}, {"text": CLEAN}]])
    plain = run(Decontaminate(benchmarks=(str(bench),)), tmp_path / "in", tmp_path / "plain")
    assert plain.dropped == {}
    stage = Decontaminate(benchmarks=(str(bench),), translit=True)
    assert run(stage, tmp_path / "in", tmp_path / "out").dropped == {"contaminated": 1}
    (quiz,) = json.loads((tmp_path / "out" / REPORT).read_text("utf-8"))["benchmarks"]
    assert (quiz["items"], quiz["texts"], quiz["item_numbers"]) == (2, 4, [1])


def test_without_benchmarks_nothing_happens_and_a_note_says_so(tmp_path: Path, documents: Path) -> None:
    result = run(Decontaminate(), documents, tmp_path / "out")
    assert (result.rows_out, dict(result.dropped)) == (6, {})
    assert not (tmp_path / "out" / REPORT).exists()
    assert "names no file" in str(result.notes)


def test_a_changed_benchmark_is_read_again(tmp_path: Path, documents: Path) -> None:
    bench = write(tmp_path / "quiz.jsonl", ITEMS)
    stage = Decontaminate(benchmarks=(str(bench),))
    run(stage, documents, tmp_path / "out")
    write(bench, [{"question": CLEAN}])
    assert run(stage, documents, tmp_path / "new").dropped == {"contaminated": 3}
    assert [r["text"] for r in kept(tmp_path / "new") if r["text"]] == [
        f"Вот вопрос. {COPY} Ответ ниже.",
        COPY,
    ]


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "json", "csv", "tsv", "parquet"])
def test_every_kind_of_file_gives_the_same_items(tmp_path: Path, kind: str) -> None:
    rows = [
        {"id": "1", "question": 'Где "это", а?', "answer": "42"},
        {"id": "2", "question": "Кто?", "answer": ""},
    ]
    path = tmp_path / f"b.{kind}"
    mark = "\t" if kind == "tsv" else ","
    quoted = [[f'"{v}"'.replace('"это"', '""это""') for v in row.values()] for row in rows]
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif kind == "json":
        path.write_text(json.dumps({"data": rows}), "utf-8")
    elif kind in ("csv", "tsv"):
        lines = [mark.join(rows[0]), *(mark.join(row) for row in quoted)]
        path.write_text("\ufeff" + "\r\n".join(lines) + "\r\n", "utf-8")
    else:
        data = "".join(json.dumps(row) + "\n" for row in rows).encode()
        path.write_bytes(gzip.compress(data) if kind.endswith("gz") else data)
    [read] = read_benchmarks(files_of([str(path)]))
    assert read.name == "b"
    assert read.items == ((1, ('Где "это", а?', "42")), (2, ("Кто?",)))


def test_fields_are_found_at_any_depth(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {
            "instruction": "Решите.",
            "inputs": {"text": "а", "option_a": "б"},
            "outputs": "в",
            "meta": {"id": 1},
        },
        {"question": "г", "answers": {"text": ["д", "е"], "answer_start": [1, 2]}},
    ]
    [read] = read_benchmarks(files_of([str(write(tmp_path / "m.jsonl", rows))]))
    assert [texts for _, texts in read.items] == [("а", "б", "в"), ("г", "д", "е")]
    [read] = read_benchmarks(files_of([str(tmp_path / "m.jsonl")]), ["mera", "question"])
    assert [texts for _, texts in read.items] == [("а", "б", "в"), ("г",)]


def test_paragraphs_of_squad_are_items(tmp_path: Path) -> None:
    paragraph = {"context": "к", "qas": [{"id": "1", "question": "в", "answers": [{"text": "о"}]}]}
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"data": [{"paragraphs": [paragraph, paragraph]}], "version": "1"}), "utf-8")
    [read] = read_benchmarks(files_of([str(path)]))
    assert read.items == ((1, ("к", "в", "о")), (2, ("к", "в", "о")))


def test_files_of_a_folder_that_are_no_benchmarks_are_left_out(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / "set" / folder).mkdir(parents=True)
        write(tmp_path / "set" / folder / "test.jsonl", ITEMS)
    (tmp_path / "set" / "README.md").write_text("x")
    read = read_benchmarks(files_of([str(tmp_path / "set")]))
    assert [one.name for one in read] == ["set/a/test.jsonl", "set/b/test.jsonl"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("b.jsonl", b"", "b.jsonl holds no item"),
        ("b.csv", b"question,answer\n", "b.csv holds no item"),
        ("b.json", b"", "b.json holds no item"),
        ("b.jsonl", b'{"question": "a"}\n\n{"question": \n', "line 3 is no JSON"),
        ("b.jsonl", b"[1, 2]\n", "item 1 is no object with fields but a list"),
        ("b.jsonl", b'{"q": "a", "w": 1}\n', r"decontaminate.fields \(it has q, w\)"),
        ("b.jsonl", b'{"question": 12}\n', "question hold no text"),
        ("b.jsonl", "{}".encode("utf-16"), "b.jsonl: can't be read"),
        ("b.jsonl", b'{"question": ' + b"[" * 100_000 + b"\n", "b.jsonl"),
        ("b.csv", b"question,answer\na,b\na,b,c\n", "line 3 has 3 fields and the first line 2"),
        ("b.csv", b'question\n"a\n', "line 2 is no CSV"),
        ("b.json", b'"text"', "neither a list of items nor an object"),
        ("b.parquet", b"PAR1 no", "b.parquet"),
        ("b.jsonl.gz", b"no gzip", "b.jsonl.gz: can't be read"),
        ("b.txt", b"text", "none of .jsonl"),
    ],
)
def test_a_bad_file_is_named_before_any_work(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=message):
        Decontaminate(benchmarks=(str(tmp_path / name),)).check([], [])


def test_a_field_that_no_file_has_is_an_error(tmp_path: Path) -> None:
    bench = str(write(tmp_path / "quiz.jsonl", ITEMS))
    with pytest.raises(UsageError, match="no benchmark has a field 'qestion'"):
        read_benchmarks(files_of([bench]), ["question", "qestion"])
    with pytest.raises(UsageError, match="no such file"):
        files_of([str(tmp_path / "none.jsonl")])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"action": "delete"}, "choose from drop, cut, mark"),
        ({"ngram": 1}, "choose 2 to 64"),
        ({"ngram": 65}, "choose 2 to 64"),
        ({"min_words": 14}, r"choose 1 to decontaminate.ngram \(13\)"),
        ({"min_words": 0}, "choose 1 to"),
    ],
)
def test_bad_parameters(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Decontaminate(**parameters)


def test_schemes_are_those_of_their_names() -> None:
    expected = {
        "bgn": "shchyot yozha khvoi yunogo tsarya",
        "icao": "shchet ezha khvoi iunogo tsaria",
        "chat": "schet ezha hvoi yunogo carya",
        "gost": "shhyot yozha xvoi yunogo carya",
        "yandex": "shchyot yozha hvoi yunogo carya",
        "j": "shchjot jozha hvoi junogo carja",
    }
    assert dict(zip(SCHEMES, transliterated("Щёт ёжа хвои юного царя"), strict=True)) == expected
    assert list(transliterated("plain Latin")) == []


@pytest.mark.parametrize(
    ("family", "row", "texts"),
    [
        (
            "mera",
            {
                "instruction": "Ответьте.",
                "inputs": {"text": "т", "question": "в"},
                "outputs": "о",
                "meta": {"id": 1},
            },
            ("т", "в", "о"),
        ),
        (
            "mera",
            {"instruction": "Решите.", "inputs": "2 + 2 = ?", "outputs": "4", "meta": {}},
            ("2 + 2 = ?", "4"),
        ),
        (
            "rublimp",
            {"id": "7", "source_sentence": "а", "target_sentence": "б", "phenomenon": "x"},
            ("а", "б"),
        ),
        (
            "xquad",
            {"id": "1", "context": "к", "question": "в", "answers": {"text": ["о"], "answer_start": [0]}},
            ("к", "в", "о"),
        ),
        ("mmlu-ru", {"question": "в", "subject": "law", "choices": ["а", "б"], "answer": 1}, ("в", "а", "б")),
        (
            "mmlu-ru",
            {"question_en": "q", "choices_en": ["a"], "question_ru": "в", "choices_ru": ["а"], "answer": "A"},
            ("в", "а"),
        ),
        ("gsm8k-ru", {"question": "Сколько?", "answer": "Три. #### 3"}, ("Сколько?", "Три. #### 3")),
    ],
)
def test_rows_of_public_files_give_their_questions_and_answers(
    tmp_path: Path, family: str, row: dict[str, Any], texts: tuple[str, ...]
) -> None:
    """Rows in the shape of the families' public files; instructions and numbers are left out."""
    (read,) = read_benchmarks(files_of([str(write(tmp_path / "b.jsonl", [row]))]), [family])
    assert read.items == ((1, texts),)


def test_every_family_has_fields() -> None:
    assert all(fields and len(set(fields)) == len(fields) for fields in FIELDS.values())
