import multiprocessing
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.dedup import near
from corpus.dedup.near import Dedup
from corpus.errors import ShardError, StageError
from tests.corpus.dedup.helpers import doc_id, documents, fates, resolve, run, shards_of, sign

LONG = " ".join(f"слово{i}" for i in range(60))


def judge(texts: list[str | None], folder: Path, params: Dedup | None = None, size: int = 3) -> pa.Table:
    return pa.concat_tables(run(params or Dedup(buckets=4), shards_of(texts, size), folder))


def test_the_longest_document_of_a_cluster_is_kept_and_the_others_name_it(tmp_path: Path) -> None:
    judged = judge([LONG, "совсем другое", LONG + " и конец", LONG.upper()], tmp_path)
    assert judged["drop"].to_pylist() == ["near_duplicate", None, None, "near_duplicate"]
    assert judged["drop_detail"].to_pylist()[0] == f"kept={doc_id(2).hex()}, cluster_size=3"
    assert judged["cluster_size"].to_pylist() == [3, 1, 3, 3]


def test_of_equally_long_documents_the_earliest_is_kept(tmp_path: Path) -> None:
    judged = judge([LONG, LONG, LONG, LONG], tmp_path, size=1)
    assert judged["drop"].to_pylist() == [None] + ["exact_duplicate"] * 3


def test_an_exact_copy_of_a_dropped_near_duplicate_is_called_near(tmp_path: Path) -> None:
    judged = judge([LONG, LONG, LONG + " и конец"], tmp_path)
    assert judged["drop"].to_pylist() == ["near_duplicate", "near_duplicate", None]


def test_case_and_white_space_and_yo_do_not_make_another_text(tmp_path: Path) -> None:
    judged = judge(["Ёж ел\u00a0мёд.", "еж  ЕЛ мед. ", "еж ел мед"], tmp_path)
    assert judged["drop"].to_pylist() == [None, "exact_duplicate", "near_duplicate"]


def test_i_kratkoe_is_another_letter_than_i(tmp_path: Path) -> None:
    judged = judge(["мой", "мои"], tmp_path)
    assert judged["drop"].to_pylist() == [None, None]


def test_empty_texts_are_duplicates_of_each_other_and_of_nothing_else(tmp_path: Path) -> None:
    judged = judge(["", None, " \n", "!", "?", "я"], tmp_path)
    assert judged["drop"].to_pylist() == [None, "exact_duplicate", "exact_duplicate", None, None, None]


def test_short_texts_that_share_most_words_are_not_clustered(tmp_path: Path) -> None:
    """Below the length of a shingle a text is one shingle of all its words: it equals or it does not."""
    texts: list[str | None] = [
        "цена 100 руб",
        "цена 200 руб",
        "цена 100",
        "купить",
        "купить дом",
        "читать далее",
    ]
    judged = judge(texts, tmp_path)
    assert judged["drop"].null_count == len(texts)


def test_short_texts_with_one_word_changed_stay_apart(tmp_path: Path) -> None:
    """In six to nine words every run of five holds the middle one: no shingle is shared."""
    texts: list[str | None] = []
    for length in range(6, 10):
        words = [f"общее{length}{i}" for i in range(length)]
        for n in range(40):
            words[length // 2] = f"своё{n}"
            texts.append(" ".join(words))
    judged = judge(texts, tmp_path, size=50)
    assert judged["drop"].null_count == len(texts)


def test_exact_only_leaves_near_duplicates(tmp_path: Path) -> None:
    judged = judge([LONG, LONG + " и конец", LONG], tmp_path, Dedup(exact_only=True, buckets=2))
    assert judged["drop"].to_pylist() == [None, None, "exact_duplicate"]


def test_verify_unlinks_what_shares_a_band_but_resembles_too_little(tmp_path: Path) -> None:
    rng = random.Random(7)
    texts: list[str | None] = []
    for _ in range(150):  # pairs of Jaccard similarity about .6: about half share a band
        words = [str(rng.random()) for _ in range(100)]
        texts += [" ".join(words), " ".join(words[:80] + [str(rng.random()) for _ in range(12)])]
    loose = judge(texts, tmp_path, Dedup(buckets=2))
    strict = judge(texts, tmp_path, Dedup(buckets=2, verify=0.9))
    assert loose["drop"].null_count < len(texts) - 20
    assert strict["drop"].null_count == len(texts)


def test_verify_keeps_what_resembles_enough(tmp_path: Path) -> None:
    judged = judge([LONG + "!", LONG.upper(), "иное"], tmp_path, Dedup(verify=1.0))
    assert judged["drop"].to_pylist() == [None, "near_duplicate", None]
    assert judged["cluster_size"].to_pylist() == [2, 2, 1]


def test_outputs_do_not_depend_on_order_of_work_or_number_of_buckets(tmp_path: Path) -> None:
    rng = random.Random(3)
    words = LONG.split()
    texts: list[str | None] = []
    for _ in range(200):
        cut = rng.randrange(20, 60)
        texts.append(" ".join(words[:cut] if rng.random() < 0.5 else rng.sample(words, cut)))
    shards = shards_of(texts, 30)
    seen = set()
    for buckets in (1, 7):
        params, folder = Dedup(buckets=buckets), tmp_path / str(buckets)
        folder.mkdir()
        order = list(range(len(shards)))
        rng.shuffle(order)
        for i in order:
            sign(params, [shards[i].slice(0, 11), shards[i].slice(11)], i, folder)
        signs = [folder / f"{i:05d}.sign" for i in range(len(shards))]
        edges = [folder / f"{b}.edges" for b in range(buckets)]
        for bucket in rng.sample(range(buckets), buckets):
            near.group_bucket(params, bucket, signs, edges[bucket])
        rng.shuffle(edges)
        _, marks = resolve(signs, edges, folder)
        seen.add(tuple(path.read_bytes() for path in marks))
    assert len(seen) == 1


def test_files_are_equal_whatever_the_size_of_batches(tmp_path: Path) -> None:
    table = documents([f"{LONG} {i}" for i in range(20)])
    path = tmp_path / "in.parquet"
    pq.write_table(table, path, row_group_size=3)
    near.sign_shard(Dedup(), path, tmp_path / "one")
    near.sign_tables(Dedup(), [table], tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_dataset_without_ids_can_be_signed_and_marked(tmp_path: Path) -> None:
    path = tmp_path / "theirs.jsonl"
    path.write_text('{"text": "раз два три"}\nnot json\n{"text": "Раз два три"}\n')
    signed, edges = tmp_path / "0.sign", tmp_path / "0.edges"
    near.sign_shard(Dedup(buckets=1), path, signed)
    near.group_bucket(Dedup(buckets=1), 0, [signed], edges)
    resolved, _ = resolve([signed], [edges], tmp_path)
    assert (resolved.documents, resolved.clusters, resolved.exact, resolved.largest) == (2, 1, 1, 2)


def test_marks_of_other_rows_are_refused(tmp_path: Path) -> None:
    shard = documents(["а б в", "г д е"])
    run(Dedup(), [shard], tmp_path)
    mark = near.mark_table(tmp_path / "00000.marks")
    with pytest.raises(ShardError, match="marks of other rows"):
        mark(shard.take([1, 0]))


def test_the_columns_of_an_earlier_run_are_replaced(tmp_path: Path) -> None:
    shard = documents(["а", "а"])
    once = run(Dedup(), [shard], tmp_path)[0].filter(pa.array([True, False]))
    twice = run(Dedup(), [once], tmp_path)[0]
    assert twice.column_names == once.column_names
    assert twice["cluster_size"].to_pylist() == [1]


def test_no_documents_are_no_error(tmp_path: Path) -> None:
    judged = run(Dedup(buckets=1), [documents([]), documents(["а"])], tmp_path)
    assert [shard.num_rows for shard in judged] == [0, 1]


@pytest.mark.parametrize("cut", [0, 7, 8, 30, 50, -1])
def test_a_truncated_file_is_refused_with_its_name(tmp_path: Path, cut: int) -> None:
    params = Dedup(buckets=1)
    signed = sign(params, [documents([LONG, LONG])], 0, tmp_path)
    edges = tmp_path / "00000.edges"
    near.group_bucket(params, 0, [signed], edges)
    for path in (edges, signed):
        whole = path.read_bytes()
        path.write_bytes(whole[:cut])
        with pytest.raises(ValueError, match=path.name):
            resolve([signed], [edges], tmp_path)
        path.write_bytes(whole)
    _, (marks,) = resolve([signed], [edges], tmp_path)
    marks.write_bytes(marks.read_bytes()[:cut])
    with pytest.raises(ShardError, match=marks.name):
        near.read_marks(marks)


def test_shards_of_another_run_are_refused(tmp_path: Path) -> None:
    one = sign(Dedup(), [documents(["а"])], 0, tmp_path)
    two = sign(Dedup(seed=2), [documents(["а"])], 1, tmp_path)
    with pytest.raises(ValueError, match="other parameters"):
        near.group_bucket(Dedup(), 0, [one, two], tmp_path / "e")
    assert not (tmp_path / "e").exists()


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        near.group_bucket(Dedup(), 0, [tmp_path / "nowhere.sign"], tmp_path / "e")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bands", 0),
        ("rows", 0),
        ("bands", 4097),
        ("ngram", 0),
        ("threshold", 1.0),
        ("threshold", -0.1),
        ("verify", 1.1),
        ("seed", -1),
        ("buckets", 0),
        ("buckets", 70000),
    ],
)
def test_an_impossible_parameter_is_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        Dedup(**{field: value})  # type: ignore[arg-type]


def test_a_threshold_chooses_the_bands_as_datasketch_does() -> None:
    datasketch = pytest.importorskip("datasketch")
    index = datasketch.MinHashLSH(threshold=0.7, num_perm=112)
    assert Dedup(threshold=0.7).banding == (index.b, index.r)
    assert Dedup().banding == (14, 8)


def test_an_estimate_covers_the_files_written(tmp_path: Path) -> None:
    params = Dedup(buckets=2, verify=0.5)
    run(params, shards_of([LONG] * 400, 100), tmp_path)
    cost = near.estimate(params, 400, 4)
    for phase, ending in (("sign", "sign"), ("group", "edges"), ("resolve", "marks")):
        written = sum(path.stat().st_size for path in tmp_path.glob(f"*.{ending}"))
        assert 0.5 * cost[phase].disk < written < cost[phase].disk + 2000


def test_an_estimate_of_memory_covers_equal_documents_which_all_fall_into_one_bucket(tmp_path: Path) -> None:
    params, documents, shards = Dedup(), 400_000, 4
    ids = pa.array([bytes(16)] * (documents // shards), pa.binary(16))
    equal = pa.table({"doc_id": ids, "text": pa.array(["раз два"] * len(ids))})
    signs = [tmp_path / f"{number}.sign" for number in range(shards)]
    for path in signs:
        near.sign_tables(params, [equal], path)
    edges = [tmp_path / f"{bucket}.edges" for bucket in range(params.buckets)]
    marks = [tmp_path / f"{number}.marks" for number in range(shards)]
    with multiprocessing.get_context("spawn").Pool(1) as alone:
        group = max(
            alone.apply(peak_of, (near.group_bucket, params, bucket, signs, edges[bucket]))
            for bucket in range(params.buckets)
        )
        resolve = alone.apply(peak_of, (near.resolve, signs, edges, marks))
    cost = near.estimate(params, documents, shards)
    beside = 2 << 20  # what an allocator and a thread's stack take; the records alone would be 9.6 MB
    assert group < cost["group"].memory + beside
    assert resolve < cost["resolve"].memory + beside


def peak_of(work: Callable[..., object], *arguments: object) -> int:
    """Bytes by which a call lets this process's resident memory grow, at most."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = _memory("VmRSS")
    work(*arguments)
    return _memory("VmHWM") - before


def _memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])


def test_a_plan_that_can_not_fit_says_so_with_a_figure() -> None:
    with pytest.raises(StageError, match=r"resolve needs \d+\.\d GiB"):
        near.fit_buckets(Dedup(), 10**10, 10**5, 2**34)
    assert near.fit_buckets(Dedup(), 10**9, 10**4, 2**34).buckets == 16
    assert near.fit_buckets(Dedup(buckets=1), 10**9, 10**4, 2**34).buckets > 1


def test_more_than_one_lookup_of_kept_ids_gives_the_right_ones(tmp_path: Path) -> None:
    judged = run(Dedup(buckets=3), shards_of([f"{i % 70} текст" for i in range(700)], 40), tmp_path)
    for i, fate in enumerate(fates(judged)):
        assert fate.kept == i % 70
        assert fate.size == 10
