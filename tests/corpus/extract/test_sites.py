"""What robots.txt and tdmrep.json say of training, by path; and that the crawl's own files of it are kept."""

import gzip
import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.extract.sites import Rule, Sites, _matches, robots_rules, tdmrep_rules
from pipelines import cli


def reserved(text: str, url: str, file: str = "robots.txt") -> set[str]:
    rules = list(robots_rules(text) if file == "robots.txt" else tdmrep_rules(text))
    return Sites([("a.ru", json.dumps(rules))]).reserved("a.ru", url)


class TestRobots:
    """Groups for robots that gather training data, and preferences in groups for all."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("User-agent: GPTBot\nDisallow: /", {"robots"}),
            ("User-agent: gptbot/1.1\nDisallow: /*.html$", {"robots"}),
            ("User-agent: GPTBot\nDisallow: /\nAllow: /news/", set()),
            ("User-agent: GPTBot\nAllow: /news/\nUser-agent: CCBot\nDisallow: /news", {"robots"}),
            ("User-agent: Googlebot\nUser-agent: ClaudeBot # training\nDisallow: /news/a", {"robots"}),
            ("User-agent: *\nDisallow: /", set()),
            ("User-agent: GPTBot\nDisallow:", set()),
            ("User-agent: GPTBot\nDisallow: /other", set()),
            ("User-Agent: *\nContent-Usage: train-ai=n", {"aipref"}),
            ("User-Agent: *\nAllow: /\nContent-Usage: /news/ train-ai=n", {"aipref"}),
            ("User-Agent: *\nContent-Usage: train-ai=n\nContent-Usage: /news/ train-ai=y", set()),
            ("User-Agent: Googlebot\nContent-Usage: train-ai=n", set()),
            ("User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /", {"aipref"}),
            ("Content-Signal: ai-train=no", {"aipref"}),
            ("User-Agent: *\nContent-Usage: bots=n, train-ai=y", set()),
            ("User-Agent: *\nContent-Usage: bots=n", {"aipref"}),
            ("User-Agent: *\nContent-Usage: search=n", set()),
            ("<html>not found</html>", set()),
            ("", set()),
        ],
    )
    def test_decide_for_the_pages_of_their_paths(self, text: str, expected: set[str]) -> None:
        assert reserved(text, "https://a.ru/news/a.html") == expected

    def test_equally_long_patterns_allow_a_robot_and_reserve_a_use(self) -> None:
        robots = "User-agent: GPTBot\nDisallow: /news\nAllow: /news"
        assert reserved(robots, "http://a.ru/news") == set()
        usage = "User-agent: *\nContent-Usage: /news train-ai=y\nContent-Usage: /news train-ai=n"
        assert reserved(usage, "http://a.ru/news") == {"aipref"}

    def test_percent_encoding_makes_no_difference(self) -> None:
        assert reserved(
            "User-agent: GPTBot\nDisallow: /новости/",
            "http://a.ru/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8/1",
        ) == {"robots"}


class TestTdmrep:
    @pytest.mark.parametrize(
        ("entries", "expected"),
        [
            ([{"location": "/", "tdm-reservation": 1}], {"tdm"}),
            ([{"location": "/*", "tdm-reservation": "1", "tdm-policy": "https://a.ru/p"}], {"tdm"}),
            ([{"location": "/", "tdm-reservation": 1}, {"location": "/news/", "tdm-reservation": 0}], set()),
            ([{"location": "/images/*.jpg", "tdm-reservation": 1}], set()),
            ({"location": "/news", "tdm-reservation": 1}, {"tdm"}),
            (["/news", None, {"location": 5}, {"location": "/"}], set()),
            ("text", set()),
        ],
    )
    def test_the_longest_location_decides(self, entries: object, expected: set[str]) -> None:
        assert reserved(json.dumps(entries), "https://a.ru/news/a", "tdmrep.json") == expected

    def test_what_is_no_json_says_nothing(self) -> None:
        assert list(tdmrep_rules("<html>")) == []
        assert list(tdmrep_rules("[" * 100_000)) == []


def test_what_any_capture_reserves_is_reserved() -> None:
    captures = [[Rule("tdm", "", "/", True)], [Rule("tdm", "", "/", False)]]
    for order in (captures, captures[::-1]):
        sites = Sites([("a.ru", json.dumps(rules)) for rules in order])
        assert sites.reserved("a.ru", "http://a.ru/") == {"tdm"}
        assert sites.reserved("www.a.ru", "http://www.a.ru/") == set()


@given(
    st.text("ab/*$", max_size=8).map(lambda tail: "/" + tail),
    st.text("ab/", max_size=10).map(lambda tail: "/" + tail),
)
def test_patterns_match_as_the_expression_that_they_are(pattern: str, path: str) -> None:
    exact = pattern.endswith("$")
    parts = pattern.removesuffix("$").split("*")
    expression = ".*".join(re.escape(part) for part in parts) + ("$" if exact else "")
    assert _matches(pattern, path) == bool(re.match(expression, path))


PAGE = (
    "<html><body><article><h1>Новости</h1>"
    + "<p>Сегодня в городе открыли новый мост через реку, и по нему пошли люди.</p>" * 12
    + "</article></body></html>"
)


def record(url: str, body: str, kind: str) -> bytes:
    http = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode() + body.encode()
    head = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nContent-Type: application/http\r\n"
    return gzip.compress(f"{head}Content-Length: {len(http)}\r\n\r\n".encode() + http + b"\r\n\r\n")


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    """Two files: pages of four hosts in one, what the sites say in the other, one page with a header of its
    own."""
    (tmp_path / "crawl").mkdir()
    pages = [
        record(f"https://{host}/news/1", PAGE.replace("мост", f"мост {host}"), "text/html")
        for host in ("a.ru", "b.ru", "c.ru", "d.ru")
    ]
    says = [
        record("https://a.ru/robots.txt", "User-agent: CCBot\nDisallow: /", "text/plain"),
        record(
            "https://b.ru/.well-known/tdmrep.json",
            '[{"location": "/news", "tdm-reservation": 1}]',
            "application/json",
        ),
        record("https://c.ru/robots.txt", "User-agent: *\nContent-Usage: train-ai=n", "text/plain"),
        record(
            "https://d.ru/robots.txt",
            "User-agent: *\nDisallow: /admin # закрыто для всех роботов",
            "text/plain",
        ),
    ]
    (tmp_path / "crawl/0.warc.gz").write_bytes(b"".join(pages))
    (tmp_path / "crawl/1.warc.gz").write_bytes(b"".join(says))
    return tmp_path / "crawl"


class TestRun:
    """From a crawl to a dataset: sites' files decide for the pages of other files, whatever comes first."""

    def run(self, crawl: Path, out: Path, *more: str) -> dict[str, int]:
        stages = '["extract", "publish"]'
        command = [
            "run",
            "ru-web",
            "--set",
            f'input.paths=["{crawl}"]',
            "--set",
            f"run.stages={stages}",
            "--set",
            "publish.columns=[]",
        ]
        assert cli.run([*command, "--out", str(out), "--executor", "inline", "-q", *more]) == 0
        manifest = json.loads((out / "dataset/manifest.json").read_text())
        return {str(k): int(v) for k, v in manifest["lineage"][-1]["dropped"].items()}

    def test_pages_of_sites_that_reserve_are_left_out_and_counted(self, crawl: Path, tmp_path: Path) -> None:
        assert self.run(crawl, tmp_path / "out") == {
            "opt_out_aipref": 1,
            "opt_out_robots": 1,
            "opt_out_tdm": 1,
        }
        rows = pq.read_table(tmp_path / "out/dataset/data")
        assert rows["host"].to_pylist() == ["d.ru"]
        kept = sorted(p.name for p in (tmp_path / "out/extract/_sites").iterdir())
        assert len(kept) == 1
        status = json.loads((tmp_path / "out/dataset/manifest.json").read_text())["lineage"][0]["skipped"]
        assert (status["robots.txt"], status["tdmrep.json"]) == (3, 1)
        assert "were heeded where the crawl holds them" in (tmp_path / "out/dataset/README.md").read_text()
        assert "robots.txt of the site closes" in (tmp_path / "out/dataset/README.md").read_text()

    def test_what_is_not_heeded_is_said(self, crawl: Path, tmp_path: Path) -> None:
        assert self.run(crawl, tmp_path / "out", "--set", "publish.respect=[]") == {}
        rows = pq.read_table(tmp_path / "out/dataset/data").sort_by("host").to_pydict()
        assert rows["robots_disallowed"] == [True, False, False, False]
        assert rows["tdm_reserved"] == [False, True, False, False]
        assert rows["train_ai_disallowed"] == [False, False, True, False]
        assert (
            "1 documents that are here say `robots_disallowed`"
            in (tmp_path / "out/dataset/README.md").read_text()
        )

    def test_a_crawl_without_such_files_is_as_before(self, crawl: Path, tmp_path: Path) -> None:
        (crawl / "1.warc.gz").unlink()
        assert self.run(crawl, tmp_path / "out") == {}
        assert not (tmp_path / "out/extract/_sites").exists()

    def test_a_stage_at_a_time_and_lists_of_those_who_asked(self, crawl: Path, tmp_path: Path) -> None:
        inline = ["--executor", "inline", "-q"]
        docs, target = str(tmp_path / "docs"), str(tmp_path / "set")
        assert cli.run(["extract", str(crawl), "--out", docs, *inline]) == 0
        listed = tmp_path / "asked.txt"
        listed.write_text("# asked by mail\nd.ru\nhttps://c.ru/news/1/ # one page\n")
        command = [
            "publish",
            docs,
            "--to",
            target,
            *inline,
            "--set",
            f"publish.sites={docs}/_sites",
            "--set",
            f"publish.asked={listed}",
        ]
        assert cli.run(command) == 0
        dropped = json.loads((tmp_path / "set/manifest.json").read_text())["lineage"][-1]["dropped"]
        assert dropped == {"opt_out_aipref": 1, "opt_out_asked": 1, "opt_out_robots": 1, "opt_out_tdm": 1}

    def test_a_broken_list_is_named(
        self, crawl: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        inline = ["--executor", "inline", "-q"]
        docs = str(tmp_path / "docs")
        assert cli.run(["extract", str(crawl), "--out", docs, *inline]) == 0
        (tmp_path / "asked.txt").write_text("a.ru\nnot a host\n")
        command = [
            "publish",
            docs,
            "--to",
            str(tmp_path / "set"),
            *inline,
            "--set",
            f"publish.asked={tmp_path}/asked.txt",
        ]
        assert cli.run(command) == 2
        assert "line 2 is neither a host nor an address" in capsys.readouterr().err
