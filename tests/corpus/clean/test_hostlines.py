"""Stage hostlines: lines of many pages of a host go, whatever the shards."""

from pathlib import Path

import pytest

from corpus.clean.hostlines import HostLines
from tests.corpus.helpers_hosts import dropped, kept, run, write_shards

MENU = "Главная | О нас | Контакты"


def pages(host: str | None, count: int, extra: str = MENU) -> list[dict[str, object]]:
    return [{"host": host, "text": f"{extra} \nстраница {host} {n}\n{extra}"} for n in range(count)]


def test_a_line_of_more_pages_than_the_limit_goes(tmp_path: Path) -> None:
    rows = pages("a.ru", 4) + pages("b.ru", 3)
    write_shards(tmp_path / "in", [rows[:3], rows[3:]])
    result = run(HostLines(pages=3), tmp_path / "in", tmp_path / "out")
    texts = [r["text"] for r in kept(tmp_path / "out")]
    assert texts[:4] == [f"страница a.ru {n}" for n in range(4)]
    assert texts[4:] == [f"{MENU} \nстраница b.ru {n}\n{MENU}" for n in range(3)]
    counts = [(r["host_lines_dropped"], r["host_chars_dropped"]) for r in kept(tmp_path / "out")]
    assert counts == [(2, 2 * len(MENU) + 3)] * 4 + [(0, 0)] * 3
    assert result.rows_out == 7


def test_shards_do_not_matter(tmp_path: Path) -> None:
    rows = pages("a.ru", 7) + pages("b.ru", 5, "Подписка")
    for name, shards in (("one", [rows]), ("many", [[r] for r in rows])):
        write_shards(tmp_path / name, shards)
        run(HostLines(pages=4), tmp_path / name, tmp_path / f"{name}.out")
    texts = [sorted(r["text"] for r in kept(tmp_path / f"{n}.out")) for n in ("one", "many")]
    assert (
        texts[0]
        == texts[1]
        == sorted(f"страница {h} {n}" for h, c in (("a.ru", 7), ("b.ru", 5)) for n in range(c))
    )


def test_a_page_of_nothing_else_is_dropped_and_counted(tmp_path: Path) -> None:
    rows = [*pages("a.ru", 3), {"host": "a.ru", "text": MENU}, {"host": "a.ru", "text": ""}]
    write_shards(tmp_path / "in", [rows])
    result = run(HostLines(pages=2), tmp_path / "in", tmp_path / "out")
    assert result.dropped == {"only_host_lines": 1}
    assert [r["drop_detail"] for r in dropped(tmp_path / "out")] == ["host_lines_dropped=1"]
    assert result.rows_in == 5 == result.rows_out + 1


def test_pages_without_a_host_keep_their_lines(tmp_path: Path) -> None:
    write_shards(tmp_path / "in", [pages(None, 9)])
    run(HostLines(pages=2), tmp_path / "in", tmp_path / "out")
    assert all(MENU in r["text"] for r in kept(tmp_path / "out"))


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        HostLines(pages=0)
