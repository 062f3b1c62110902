"""Stage quota: so many documents of a host and of a registered domain, the same ones in every run."""

import itertools
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import table
from corpus.quota import Quota, number_of, suffixes
from tests.corpus.helpers_hosts import dropped, kept, run, write_shards


def rows(**hosts: int) -> list[dict[str, object]]:
    return [
        {"host": h.replace("_", "."), "text": f"{h} {n}"} for h, count in hosts.items() for n in range(count)
    ]


def test_hosts_and_domains_keep_their_quota(tmp_path: Path) -> None:
    documents = rows(a_example_ru=5, b_example_ru=5, c_msk_ru=2, d_msk_ru=3)
    write_shards(tmp_path / "in", [documents[:6], documents[6:]])
    result = run(Quota(per_host=3, per_domain=4), tmp_path / "in", tmp_path / "out")
    hosts = Counter(r["host"] for r in kept(tmp_path / "out"))
    assert hosts["a.example.ru"] + hosts["b.example.ru"] == 4
    assert max(hosts.values()) <= 3
    assert (hosts["c.msk.ru"], hosts["d.msk.ru"]) == (2, 3), "msk.ru is a public suffix"
    assert result.dropped == {"domain_quota": 2, "host_quota": 4}
    assert {r["domain"] for r in kept(tmp_path / "out")} == {"example.ru", "c.msk.ru", "d.msk.ru"}
    assert all("per_" in r["drop_detail"] for r in dropped(tmp_path / "out"))


def test_without_a_quota_all_stay(tmp_path: Path) -> None:
    write_shards(tmp_path / "in", [[*rows(a_ru=3), {"host": None, "url": None, "text": "x"}]])
    assert run(Quota(), tmp_path / "in", tmp_path / "out").rows_out == 4


def test_the_host_comes_from_the_url_where_there_is_none(tmp_path: Path) -> None:
    url = "https://xn--e1afmkfd.xn--p1ai/путь"
    write_shards(tmp_path / "in", [[{"host": None, "url": url, "text": str(n)} for n in range(4)]])
    run(Quota(per_domain=1), tmp_path / "in", tmp_path / "out")
    assert [r["domain"] for r in kept(tmp_path / "out")] == ["пример.рф"]


@settings(max_examples=20, deadline=None)
@given(
    hosts=st.lists(st.sampled_from(["a.x.ru", "b.x.ru", "y.ru", "z.y.ru"]), min_size=1, max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=3),
    per_host=st.integers(0, 4),
    per_domain=st.integers(0, 5),
)
def test_the_lowest_numbers_stay_whatever_the_shards(
    tmp_path_factory: pytest.TempPathFactory,
    hosts: list[str],
    cuts: list[int],
    per_host: int,
    per_domain: int,
) -> None:
    """The oracle: sort by number, take while neither host nor domain is full, hosts first."""
    folder = tmp_path_factory.mktemp("quota")
    edges = sorted({0, len(hosts), *(c for c in cuts if c < len(hosts))})
    documents = [{"host": h, "text": str(n), "id": n} for n, h in enumerate(hosts)]
    write_shards(folder / "in", [documents[a:b] for a, b in itertools.pairwise(edges)])
    run(Quota(per_host=per_host, per_domain=per_domain), folder / "in", folder / "out")
    numbered = sorted((number_of(table.doc_id(str(n)), 0), n, h) for n, h in enumerate(hosts))
    by_host: Counter[str] = Counter()
    by_domain: Counter[str] = Counter()
    expected = []
    for _, n, host in numbered:
        domain = suffixes().registered(host)[1]
        if per_host and by_host[host] >= per_host:
            continue
        by_host[host] += 1
        if per_domain and by_domain[domain] >= per_domain:
            continue
        by_domain[domain] += 1
        expected.append(str(n))
    assert sorted(r["text"] for r in kept(folder / "out")) == sorted(expected)


def test_another_seed_keeps_another_sample() -> None:
    ids = [table.doc_id(str(n)) for n in range(50)]
    assert sorted(ids, key=lambda i: number_of(i, 0)) != sorted(ids, key=lambda i: number_of(i, 1))


def test_a_negative_quota_is_refused() -> None:
    with pytest.raises(ValueError, match="0 \\(no limit\\)"):
        Quota(per_host=-1)
