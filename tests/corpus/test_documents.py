"""Anybody's Parquet and JSONL as documents: what is made up, what passes through, what is refused."""

import bz2
import datetime
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import jsonl as jsonl_module
from corpus import table
from corpus.documents import host_of, parquet_schema, parse_date, read_documents, unify
from corpus.errors import ShardError
from corpus.inputs import Input


def read(path: Path, text_column: str = "text", rows: int = 100) -> pa.Table:
    batches = list(read_documents(Input(str(path), path.name, "d", text_column=text_column), rows))
    return pa.concat_tables(batches, promote_options="default")


def parquet(path: Path, **columns: object) -> Path:
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def jsonl(path: Path, *rows: object) -> Path:
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows))
    return path


class TestParquet:
    def test_a_text_column_is_enough(self, tmp_path: Path) -> None:
        found = read(parquet(tmp_path / "a.parquet", text=["один", "два"]))
        assert found.schema.equals(table.DOCUMENT)
        assert found["source"].to_pylist() == ["a.parquet:0", "a.parquet:1"]
        assert found["url"].to_pylist() == ["file:a.parquet#row=0", "file:a.parquet#row=1"]
        assert found["doc_id"].to_pylist() == [table.doc_id("a.parquet:0"), table.doc_id("a.parquet:1")]

    def test_what_is_made_up_does_not_depend_on_the_batch_size(self, tmp_path: Path) -> None:
        path = parquet(tmp_path / "a.parquet", text=[str(n) for n in range(10)])
        assert read(path, rows=3).equals(read(path, rows=10))

    def test_known_names_are_taken_and_unknown_columns_pass_through(self, tmp_path: Path) -> None:
        path = parquet(
            tmp_path / "a.parquet",
            id=["7"], text=["т"], link=["http://Example.ru:80/a"], date=["2024-05-06T07:08:09Z"], score=[0.5],
        )  # fmt: skip
        (row,) = read(path).to_pylist()
        assert row["doc_id"] == table.doc_id("7")
        assert (row["url"], row["host"]) == ("http://Example.ru:80/a", "example.ru")
        assert row["fetched_at"] == datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.UTC)
        assert (row["id"], row["link"], row["score"]) == ("7", "http://Example.ru:80/a", 0.5)

    def test_a_doc_id_of_another_kind_is_kept_beside_ours(self, tmp_path: Path) -> None:
        (row,) = read(parquet(tmp_path / "a.parquet", text=["т"], doc_id=[42])).to_pylist()
        assert (row["doc_id"], row["original_doc_id"]) == (table.doc_id("a.parquet#id=42"), 42)

    def test_our_own_shards_come_back_as_they_are(self, tmp_path: Path) -> None:
        first = read(parquet(tmp_path / "a.parquet", text=["один"], lang=["ru"]))
        pq.write_table(first, tmp_path / "b.parquet")
        assert read(tmp_path / "b.parquet").equals(first)

    def test_a_shard_s_drop_columns_do_not_pass(self, tmp_path: Path) -> None:
        ids = pa.array([table.doc_id("т")], pa.binary(16))
        path = parquet(
            tmp_path / "a.parquet", text=["т"], doc_id=ids, drop=["not_russian"], drop_detail=["x"]
        )
        assert read(path).column_names == table.DOCUMENT.names
        theirs = parquet(tmp_path / "b.parquet", text=["т"], drop=[7])
        assert read(theirs)["original_drop"].to_pylist() == [7]

    @pytest.mark.parametrize(
        "kind",
        [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())],
        ids=["string", "large_string", "dictionary"],
    )
    def test_text_of_any_string_type_is_text(self, tmp_path: Path, kind: pa.DataType) -> None:
        path = parquet(tmp_path / "a.parquet", body=pa.array(["а", None, "б"], pa.string()).cast(kind))
        assert read(path, "body")["text"].to_pylist() == ["а", None, "б"]

    def test_a_text_column_that_is_not_text_is_refused_by_name_and_type(self, tmp_path: Path) -> None:
        with pytest.raises(ShardError, match=r"column 'text' is int64, not text; .*--text-column"):
            read(parquet(tmp_path / "a.parquet", text=[1]))

    def test_a_missing_text_column_is_refused_with_those_there_are(self, tmp_path: Path) -> None:
        with pytest.raises(ShardError, match=r"no column 'text' \(it has body\).*--text-column"):
            read(parquet(tmp_path / "a.parquet", body=["a"]))

    @pytest.mark.parametrize("damage", ["empty", "truncated", "not_parquet", "flipped"])
    def test_a_corrupt_file_is_refused_in_one_line(self, tmp_path: Path, damage: str) -> None:
        path = parquet(tmp_path / "a.parquet", text=["слово"] * 500)
        data = bytearray(path.read_bytes())
        data[8:40] = bytes(32)
        broken = {"empty": b"", "truncated": data[: len(data) // 2], "not_parquet": b"text", "flipped": data}
        path.write_bytes(broken[damage])
        with pytest.raises(ShardError, match="not a readable Parquet file") as caught:
            read(path)
        assert "\n" not in str(caught.value)

    def test_schema_of_a_corrupt_file_is_refused_likewise(self, tmp_path: Path) -> None:
        (tmp_path / "a.parquet").write_bytes(b"PAR1 and more")
        with pytest.raises(ShardError, match="make it again or leave it out"):
            parquet_schema(str(tmp_path / "a.parquet"))


class TestJsonl:
    def test_fields_that_are_not_ours_are_kept_as_json(self, tmp_path: Path) -> None:
        path = jsonl(
            tmp_path / "a.jsonl", {"text": "т", "b": [1, {"c": None}], "a": "x", "url": "http://e.ru/"}
        )
        (row,) = read(path).to_pylist()
        assert json.loads(row["extra"]) == {"a": "x", "b": [1, {"c": None}]}
        assert (row["url"], row["host"]) == ("http://e.ru/", "e.ru")

    def test_a_title_is_the_column_title_where_it_is_text(self, tmp_path: Path) -> None:
        path = jsonl(
            tmp_path / "a.jsonl",
            {"text": "т", "title": "Букварь", "n": 1},
            {"text": "т", "title": ["a", "b"]},
            {"text": "т", "title": None},
            {"text": "т"},
        )
        rows = read(path).to_pylist()
        assert [row["title"] for row in rows] == ["Букварь", None, None, None]
        assert [json.loads(row["extra"] or "null") for row in rows] == [
            {"n": 1}, {"title": ["a", "b"]}, {"title": None}, None
        ]  # fmt: skip

    def test_a_title_that_is_the_text_is_no_title(self, tmp_path: Path) -> None:
        path = jsonl(tmp_path / "a.jsonl", {"title": "т", "n": 1})
        (row,) = read(path, text_column="title").to_pylist()
        assert (row["text"], row["title"], row["extra"]) == ("т", None, '{"n":1}')

    def test_rows_that_can_t_be_used_are_dropped_with_the_reason(self, tmp_path: Path) -> None:
        path = jsonl(
            tmp_path / "a.jsonl", {"text": "т"}, "{", {"text": 1}, {"other": "x"}, [], '{"text": "\\ud800"}'
        )
        found = read(path).to_pylist()
        assert [r["drop"] for r in found] == [None] + ["malformed_row"] * 4 + [None]
        assert found[5]["text"] == "\ufffd"  # half of a surrogate pair
        assert found[2]["drop_detail"] == "'text' is int, not text"

    def test_empty_lines_are_no_rows_but_count_in_the_numbering(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        path.write_text('\n{"text": "т"}\n\n')
        assert read(path)["source"].to_pylist() == ["a.jsonl:1"]

    def test_bytes_that_are_no_utf8_cost_their_row_only(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        path.write_bytes(b'{"text": "\xff\xfe"}\n{"text": "a"}\n')
        assert read(path)["drop"].to_pylist() == ["malformed_row", None]

    @pytest.mark.parametrize("ending", ["", ".gz", ".bz2", ".zst"])
    def test_is_read_packed_or_plain(self, tmp_path: Path, ending: str) -> None:
        path = tmp_path / f"a.jsonl{ending}"
        path.write_bytes(pack('{"text": "слово"}\n'.encode(), ending))
        assert read(path)["text"].to_pylist() == ["слово"]

    @pytest.mark.parametrize("ending", [".gz", ".bz2", ".zst"])
    @pytest.mark.parametrize("damage", ["cut", "garbled"])
    def test_a_damaged_pack_is_the_shard_s_fault(self, tmp_path: Path, ending: str, damage: str) -> None:
        data = bytearray(
            pack("".join(f'{{"text": "слово {n * n}"}}\n' for n in range(5000)).encode(), ending)
        )
        if damage == "garbled":
            data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)
        path = tmp_path / f"a.jsonl{ending}"
        path.write_bytes(data[: len(data) * 2 // 3] if damage == "cut" else data)
        with pytest.raises(ShardError, match="the file is cut short or damaged"):
            read(path)

    def test_a_file_without_a_single_text_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ShardError, match="--text-column"):
            read(jsonl(tmp_path / "a.jsonl", {"body": "x"}))

    @given(st.lists(st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=9))))
    def test_any_objects_give_one_row_each(self, rows: list[dict[str, object]]) -> None:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = jsonl(Path(folder) / "a.jsonl", {"text": "т"}, *rows)
            assert read(path, rows=3).num_rows == 1 + len(rows)


def pack(data: bytes, ending: str) -> bytes:
    if ending == ".gz":
        return gzip.compress(data)
    if ending == ".bz2":
        return bz2.compress(data)
    return pa.compress(data, "zstd", asbytes=True) if ending == ".zst" else data


class TestValues:
    @pytest.mark.parametrize(
        ("url", "host"),
        [
            ("http://Пример.РФ/a", "пример.рф"),
            ("https://a.ru:8080/", "a.ru"),
            ("file:x#row=1", None),
            ("http://[::1", None),
            ("", None),
            (None, None),
        ],
    )
    def test_host_is_lower_case_without_port(self, url: str | None, host: str | None) -> None:
        assert host_of(url) == host

    @given(st.text())
    def test_host_of_anything_is_a_host_or_none(self, url: str) -> None:
        host = host_of("http://" + url)
        assert host is None or (host and not {"/", "?", "#"} & set(host))

    @pytest.mark.parametrize("value", ["", None, "yesterday", "2024-13-01", "0001-01-01T00:00:00+14:00"])
    def test_what_is_no_date_is_null(self, value: str | None) -> None:
        assert parse_date(value) is None

    def test_dates_become_utc(self) -> None:
        date = parse_date("2024-01-01T03:00:00.5+03:00")
        assert date == datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)

    def test_an_id_does_not_change_between_runs(self) -> None:
        assert table.doc_id("a:0").hex() == "f1b4f1bd3133ea9db93a214230dfc6ed"


class TestTablesOfOthers:
    """Whatever tool wrote a table, and however: each row is a document of its own, and nothing is lost."""

    KINDS = (
        pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string()),
        pa.dictionary(pa.int8(), pa.large_string()),
    )  # fmt: skip

    @pytest.mark.parametrize("kind", KINDS, ids=str)
    def test_strings_of_any_storage_are_the_same_documents(self, tmp_path: Path, kind: pa.DataType) -> None:
        columns = {
            "text": ["один", "два", "три"],
            "source": ["lenta", "lenta", None],
            "url": ["http://a.ru/1", "http://a.ru/2", "http://b.ru/"],
        }
        plain = read(parquet(tmp_path / "1/a.parquet", **columns))
        cast = {name: pa.array(values, pa.string()).cast(kind) for name, values in columns.items()}
        found = read(parquet(tmp_path / "2/a.parquet", **cast))
        assert found.to_pylist() == plain.to_pylist()
        assert len(set(found["doc_id"].to_pylist())) == 3
        assert found["original_source"].to_pylist() == ["lenta", "lenta", None]
        assert found["host"].to_pylist() == ["a.ru", "a.ru", "b.ru"]

    @pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view(), "hex"], ids=str)
    def test_ids_of_ours_survive_what_tools_make_of_them(self, tmp_path: Path, kind: object) -> None:
        ids = [table.doc_id("а"), table.doc_id("б")]
        stored = [i.hex() for i in ids] if kind == "hex" else pa.array(ids, kind)
        found = read(parquet(tmp_path / "a.parquet", text=["а", "б"], doc_id=stored, source=["x:1", "x:2"]))
        assert found["doc_id"].to_pylist() == ids
        assert found["source"].to_pylist() == ["x:1", "x:2"]

    def test_numbers_count_within_their_file_and_names_everywhere(self, tmp_path: Path) -> None:
        def ids(name: str, values: list[object]) -> list[bytes]:
            path = parquet(tmp_path / name, text=["т"] * len(values), id=values)
            found: list[bytes] = read(path)["doc_id"].to_pylist()
            return found

        assert not set(ids("a.parquet", [0, 1])) & set(ids("b.parquet", [0, 1]))
        named, with_null = ids("c.parquet", ["n0", "n1"]), ids("d.parquet", ["n0", None])
        assert named[0] == with_null[0]
        assert with_null[1] not in named

    def test_bytes_that_are_no_utf8_cost_their_row(self, tmp_path: Path) -> None:
        bad = pa.array([b"\xff\xfe", "б".encode()], pa.binary())
        texts = pa.StringArray.from_buffers(2, bad.buffers()[1], bad.buffers()[2])
        found = read(parquet(tmp_path / "a.parquet", text=texts, n=[1, 2]))
        assert found["drop"].to_pylist() == ["malformed_row", None]
        assert found["drop_detail"].to_pylist() == ["column 'text' is not UTF-8", None]
        found.validate(full=True)

    @pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()], ids=str)
    @pytest.mark.parametrize("text_only", [False, True])
    def test_bytes_are_read_as_utf8_where_a_writer_did_not_mark_them(
        self, tmp_path: Path, kind: pa.DataType, *, text_only: bool
    ) -> None:
        path = parquet(tmp_path / "a.parquet", text=pa.array(["мама".encode(), None, b"\xff\xfe"], kind))
        batches = read_documents(Input(str(path), path.name, "d"), 100, text_only=text_only)
        found = pa.concat_tables(batches, promote_options="default")
        assert found.schema.field("text").type == pa.large_string()
        assert found["text"].to_pylist()[:2] == ["мама", None]
        assert found["drop"].to_pylist() == [None, None, "malformed_row"]
        found.validate(full=True)

    def test_digests_of_a_fixed_size_are_no_text(self, tmp_path: Path) -> None:
        path = parquet(tmp_path / "a.parquet", text=pa.array([b"0123"], pa.binary(4)))
        with pytest.raises(ShardError, match="not text; name another with --text-column"):
            read(path)

    def test_columns_that_bear_our_names_are_kept_under_another(self, tmp_path: Path) -> None:
        path = parquet(tmp_path / "a.parquet", text=["т"], host=[{"name": "x"}], fetched_at=[7], lang=["ru"])
        (row,) = read(path).to_pylist()
        assert (row["original_host"], row["original_fetched_at"], row["lang"]) == ({"name": "x"}, 7, "ru")

    def test_two_columns_of_one_name_are_refused_in_one_line(self, tmp_path: Path) -> None:
        rows = pa.Table.from_arrays([pa.array(["т"]), pa.array(["у"])], names=["text", "text"])
        pq.write_table(rows, tmp_path / "a.parquet")
        with pytest.raises(ShardError, match="two columns are named 'text'; rename one"):
            read(tmp_path / "a.parquet")


class TestOneSchema:
    def test_widens_null_and_whole_numbers_and_unites_columns(self) -> None:
        one = pa.schema([("title", pa.null()), ("score", pa.int64()), ("tag", pa.string_view())])
        two = pa.schema([("title", pa.string()), ("score", pa.float64()), ("rating", pa.int32())])
        found = pa.ipc.read_schema(pa.py_buffer(unify([("a", one), ("b", two)])))
        assert found == pa.schema(
            [("title", pa.string()), ("score", pa.float64()), ("tag", pa.string()), ("rating", pa.int32())]
        )

    def test_is_empty_where_all_are_equal(self) -> None:
        schema = pa.schema([("text", pa.string())])
        assert unify([("a", schema), ("b", schema)]) == b""

    def test_a_conflict_names_the_column_and_both_files(self) -> None:
        one, two = pa.schema([("x", pa.string())]), pa.schema([("x", pa.list_(pa.int64()))])
        with pytest.raises(ValueError, match=r"column 'x' is string in a\.parquet and list.* in b\.parquet"):
            unify([("a.parquet", one), ("b.parquet", two)])


class TestLinesOfOthers:
    @pytest.mark.parametrize(
        "line",
        ['{"text": "т", "n": NaN}', '{"text": "т", "n": 1e400}', '\ufeff{"text": "т"}'],
        ids=["nan", "huge", "bom"],
    )
    def test_what_is_odd_beside_the_text_costs_nothing(self, tmp_path: Path, line: str) -> None:
        (tmp_path / "a.jsonl").write_text(line + "\n", "utf-8")
        assert read(tmp_path / "a.jsonl")["text"].to_pylist() == ["т"]

    def test_nesting_without_end_costs_its_line(self, tmp_path: Path) -> None:
        deep = '{"text": "т", "x": ' + "[" * 100_000 + "]" * 100_000 + "}"
        (tmp_path / "a.jsonl").write_text(deep + '\n{"text": "у"}\n')
        assert read(tmp_path / "a.jsonl")["drop"].to_pylist() == ["malformed_row", None]

    def test_a_line_above_the_limit_is_a_row_and_takes_no_memory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(jsonl_module, "MAX_LINE", 1000)
        long = json.dumps({"text": "т" * 5000})
        (tmp_path / "a.jsonl").write_text(f'{{"text": "а"}}\n{long}\n{{"text": "б"}}\n')
        found = read(tmp_path / "a.jsonl")
        assert found["drop"].to_pylist() == [None, "too_large", None]
        assert found["source"].to_pylist() == ["a.jsonl:0", "a.jsonl:1", "a.jsonl:2"]

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (b'[{"text": "a"}, {"text": "b"}]', "one JSON array"),
            (b'{\n  "text": "a"\n}\n', "spread over lines"),
            ('{"text": "а"}\n'.encode("utf-16"), "UTF-16"),
            ('{"text": "а"}\n{"text": "б"}\n{"text": "в"}\n'.encode("utf-16"), "UTF-16"),
            ('{"text": "слово"}\n'.encode("cp1251"), "not UTF-8"),
            (b'{"text": 1}\r{"text": 2}\r', "CR alone"),
            (gzip.compress(b'{"text": "a"}\n'), "packed with gzip"),
            (b"\xfd7zXZ\x00 and more\n", "packed with xz"),
            (b'{"body": "a"}\n', "no row has a text in 'text'"),
            (b'{"body": "a"}', "no row has a text in 'text'"),
            (b'{"text": "a"}{"text": "b"}\n', "several objects stand on one line: jq -c . makes"),
            (b'{"text": "a"} {"text": "b"}', "several objects stand on one line"),
            (b'"a"\n"b"\n', "its lines are not JSON objects"),
            (b"text\turl\n1\t2\n", 'documents are read from Parquet, or from lines such as {"text"'),
        ],
    )
    def test_a_file_without_one_document_says_the_true_reason(
        self, tmp_path: Path, data: bytes, why: str
    ) -> None:
        (tmp_path / "a.jsonl").write_bytes(data)
        with pytest.raises(ShardError, match=why):
            read(tmp_path / "a.jsonl")
