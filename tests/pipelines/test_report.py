"""The report: what it says of a run, also of one that failed, in a real browser where one is installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.quality.signals import MEANING
from pipelines import cli, registry
from pipelines.columns import signals_in_russian
from pipelines.contents import FLAGS
from pipelines.engine import Job, StageFailedError, run_stage
from pipelines.execute import run_inline
from pipelines.findings import Findings, histogram, sample, without_paths
from pipelines.highlight import pieces
from pipelines.progress import Silent
from pipelines.report import _ASKED, russian_reasons, write_report
from pipelines.templates import russian_units
from tests.pipelines.stages import LONG, OTHER, Shorten, inputs_of, write_texts

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDE = "очень" + "длинноеслово" * 30
CRAWL = Path(__file__).parent.parent / "data/crawl"
TEXTS = ["Привет. " * 30, "а", "б", f"{WIDE} <script>alert(1)</script> & конец. " * 3]
#: Put before everything of the page: keeps errors, and sends what a test asks to the page around it.
PROBE = """<script>
const errors = [];
addEventListener("error", (event) => errors.push(event.message));
addEventListener("load", () => {
  const root = document.documentElement;
  document.querySelector("[data-speak=ru]").click();
  const heading = document.querySelector("#drops ~ .box th.n");
  for (const one of document.querySelectorAll("details")) one.open = true;
  if (heading) heading.click();
  const shown = [...document.querySelectorAll(".en")].filter((one) => one.getClientRects().length > 0).length;
  const said = JSON.stringify({
    errors, wide: root.scrollWidth, room: root.clientWidth, lang: root.lang, english: shown,
    // Text that is wider than its card, summary or sample: it runs over what stands beside it.
    spilled: [...document.querySelectorAll(".card, .card b, summary, .sample, .remarks, p, h1")]
      .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent.slice(0, 60)),
    sorted: heading ? heading.getAttribute("aria-sort") : "",
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    paper: getComputedStyle(document.body).backgroundColor,
  });
  parent.postMessage(said, "*");
});
</script>"""
#: A window of a browser is at least 500 px wide, a frame is as wide as a telephone.
FRAME = """<!doctype html><style>:root { color-scheme: light dark }</style>
<script>addEventListener("message", (event) => {
  document.documentElement.dataset.probe = event.data;
});</script>
<iframe src="page.html" width="%d" height="900" frameborder="0"></iframe>"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A stage's folder that dropped two of four texts."""
    urls = [f"http://e.ru/{'long' * 40}/{n}" for n in range(len(TEXTS))]
    write_texts(tmp_path / "in/a.parquet", TEXTS, url=urls)
    run_stage(
        Job(Shorten(), inputs_of((tmp_path / "in").iterdir()), str(tmp_path / "out")), run_inline, Silent()
    )
    return tmp_path / "out"


@pytest.fixture
def html(run: Path) -> str:
    write_report(str(run), str(run / "report.html"))
    return (run / "report.html").read_text()


class TestWhatItSays:
    def test_counts_reasons_and_samples_of_one_stage_s_folder(self, html: str) -> None:
        assert re.search(r"<code>too_few_words</code></td><td class=\"n\" data-v=\"2\">", html)
        assert html.count('<span class="why">short</span>') == 2

    def test_stands_in_both_languages(self, html: str) -> None:
        assert '<span class="en">Funnel</span><span class="ru">Воронка</span>' in html
        assert "слов меньше порога" in html

    def test_texts_are_no_markup(self, html: str) -> None:
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in html

    def test_a_failed_task_stands_first_without_the_path(self, tmp_path: Path) -> None:
        write_texts(tmp_path / "in/a.parquet", ["слово и ещё одно слово"])
        (tmp_path / "in/b.parquet").write_bytes(b"junk")
        with pytest.raises(StageFailedError):
            run_stage(
                Job(Shorten(), inputs_of((tmp_path / "in").iterdir()), str(tmp_path / "out")),
                run_inline,
                Silent(),
            )
        write_report(str(tmp_path / "out"), str(tmp_path / "r.html"))
        html = (tmp_path / "r.html").read_text()
        assert html.index("The run failed.") < html.index("not a readable Parquet file") < html.index("<h2")
        assert str(tmp_path) not in html

    def test_the_same_folder_gives_the_same_bytes(self, run: Path, html: str) -> None:
        write_report(str(run), str(run / "again.html"))
        assert (run / "again.html").read_text() == html

    def test_a_shard_that_can_t_be_read_is_named_and_the_rest_is_shown(self, run: Path) -> None:
        (run / "a.parquet").write_bytes(b"junk")
        (run / "_dropped/a.parquet").write_bytes(b"junk")
        write_report(str(run), str(run / "report.html"))
        html = (run / "report.html").read_text()
        assert "is not counted here: " in html
        assert "<code>too_few_words</code>" in html

    def test_a_folder_that_is_no_run_is_refused(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.run(["report", str(tmp_path)]) == 2
        assert "neither a run nor a stage's folder" in capsys.readouterr().err


class TestDamagedRuns:
    @pytest.mark.parametrize(
        ("path", "content", "says"),
        [
            ("evaluation/evaluation.json", b"{", "evaluation.json: can"),
            ("evaluation/evaluation.json", b'{"rows": 3}', "evaluation.json: can"),
            ("evaluation/evaluation.json", b'{"rows": []}', "Nothing stands out"),
            ("_recipe.toml", b"name = [", "name = ["),
            ("_recipe.toml", b"\xff\xfe", "Funnel"),
            ("clean/_failed/x.json", b"{", "The run failed."),
            ("clean/a.parquet", b"", "is not counted here: "),
            ("clean/_receipts/b.json", b"{", "Funnel"),
        ],
    )
    def test_a_report_is_written_all_the_same(
        self, run: Path, tmp_path: Path, path: str, content: bytes, says: str
    ) -> None:
        shutil.copytree(run, tmp_path / "whole/clean")
        (tmp_path / "whole" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "whole" / path).write_bytes(content)
        write_report(str(tmp_path / "whole"), str(tmp_path / "r.html"))
        assert says in (tmp_path / "r.html").read_text()

    def test_every_flag_and_every_reason_has_its_words(self) -> None:
        assert set(FLAGS) <= set(_ASKED)
        reasons = registry.reasons()
        russian = russian_reasons()
        assert [reason for reason in reasons if russian.get(reason, reasons[reason]) == reasons[reason]] == []


class TestHighlight:
    def marked(self, text: str, detail: str) -> list[str]:
        return [piece for piece, decided in pieces(text, detail) if decided]

    @given(
        st.text("ab. \n1а", max_size=60),
        st.sampled_from(
            ["dup_5_gram_frac=1 > 0.4", "top_2_gram_frac=1 > 0", "dup_line_frac=1 > 0", "words=1", ""]
        ),
    )
    def test_pieces_joined_are_the_text(self, text: str, detail: str) -> None:
        assert "".join(piece for piece, _ in pieces(text, detail)) == text

    @pytest.mark.parametrize(
        ("text", "detail", "marked"),
        [
            ("Звоните 8-000-092-71-64 сейчас", "phone_ratio=0.2 > 0.06", ["8-000-092-71-64"]),
            ("да\nнет\nда", "dup_line_frac=0.3 > 0.2", ["да", "да"]),
            ("купи слона и купи слона", "top_2_gram_frac=0.5 > 0.2", ["купи слона", "купи слона"]),
            ("Слoво и слово", "mixed_script_ratio=0.3 > 0.1", ["Слoво"]),
            (
                "Казино Фортуна: фриспины каждый день, джекпот завтра",
                "excess_casino=0.3 > 0.03; topic_unknown=1 > 0",
                ["Казино", "фриспины", "джекпот"],
            ),
            ("Раз два. Три.", "words=3 < 50", []),
            ("Цена 100 руб. при встрече", "price_ratio=0.1 < 0.2; junk_margin=6 > 5: (price_ratio=0.1)", []),
        ],
    )
    def test_what_the_signal_counts(self, text: str, detail: str, marked: list[str]) -> None:
        assert self.marked(text, detail) == marked

    def test_personal_data_is_masked_before_the_text_is_cut(self) -> None:
        found = sample("http://e.ru", None, "а" * 590 + " почта ivan.petrov@mail.ru и дальше")
        assert "ivan" not in "".join(piece for piece, _ in found.text)


class TestFigures:
    @given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
    def test_every_value_is_in_one_bin(self, values: list[float]) -> None:
        assert sum(histogram("x", np.array(values)).counts) == len(values)

    def test_clusters_by_size(self) -> None:
        found = Findings()
        found.clusters.update({1: 5, 5: 2, 7: 1, 500: 1})
        assert found.cluster_rows() == [("1", 5, 5), ("4–7", 3, 17), ("128+", 1, 500)]

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ('"/srv/me/crawl/a.warc.gz"', '"a.warc.gz"'),
            ("/var/x/b.parquet: not readable", "b.parquet: not readable"),
            ("../../tests/data/crawl", "crawl"),
            ("s3://bucket/key/a", "s3://bucket/key/a"),
            ("http://e.ru/a/b", "http://e.ru/a/b"),
            ("crawl/a.warc.gz and 5 tokens/s", "crawl/a.warc.gz and 5 tokens/s"),
        ],
    )
    def test_paths_are_cut_and_addresses_stay(self, text: str, shown: str) -> None:
        assert without_paths(text) == shown

    def test_units_in_russian(self) -> None:
        assert [russian_units(t) for t in ("3.4 MB", "2 h 5 min")] == ["3,4 МБ", "2 ч 5 мин"]


@pytest.fixture
def comparison(run: Path, tmp_path: Path) -> str:
    """The page of two stages' folders: the second drops one text more."""
    job = Job(Shorten(least=300), inputs_of((tmp_path / "in").iterdir()), str(tmp_path / "other"))
    run_stage(job, run_inline, Silent())
    target = tmp_path / "compare.html"
    assert (
        cli.run(["report", "--compare", str(run), str(tmp_path / "other"), "--out", str(target), "-q"]) == 0
    )
    return target.read_text()


@pytest.fixture
def calibration(tmp_path: Path) -> str:
    """The page of thresholds over a few texts."""
    write_texts(tmp_path / "few.parquet", [LONG, OTHER, "Коротко.", "слово " * 300])
    page = tmp_path / "calibration.html"
    assert cli.run(["calibrate", str(tmp_path / "few.parquet"), "--html", str(page)]) == 0
    return page.read_text("utf-8")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of a run over two of the bundled crawl's files, tokenizer and evaluation included."""
    folder = tmp_path_factory.mktemp("whole")
    recipe = folder / "r.toml"
    stages = ["extract", "identify", "filter", "dedup", "publish", "train", "evaluate"]
    paths = [str(CRAWL / f"crawl-0000{number}.warc.gz") for number in (4, 7)]
    recipe.write_text(
        f"[input]\npaths = {json.dumps(paths)}\n[run]\nstages = {json.dumps(stages)}\n"
        "[train]\nvocab_size = 500\nheld_out = 0.2\n[evaluate]\nscalars = false\n"
    )
    assert cli.run(["run", str(recipe), "--out", str(folder / "run"), "--executor", "inline", "-q"]) == 0
    html = (folder / "run/report.html").read_text()
    for section in ("funnel", "drops", "documents", "duplicates", "pages", "time", "tokenizer", "recipe"):
        assert f'<h2 id="{section}">' in html
    assert '<div class="cut">' in html
    assert str(folder) not in html
    assert str(CRAWL) not in html
    return html


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 800, 1280])
@pytest.mark.parametrize("page", ["html", "comparison", "calibration", "whole"])
def test_in_a_browser_nothing_is_wider_than_the_page_and_no_error_shows(
    request: pytest.FixtureRequest, page: str, tmp_path: Path, width: int, dark: bool
) -> None:
    html = request.getfixturevalue(page)
    probe = probed(html, tmp_path, width, dark)
    assert probe["errors"] == []
    assert probe["wide"] <= probe["room"] == width
    assert (probe["lang"], probe["english"], probe["sorted"]) == ("ru", 0, "descending")
    assert probe["spilled"] == []
    assert probe["dark"] is dark
    assert probe["paper"] == ("rgb(20, 26, 33)" if dark else "rgb(255, 255, 255)")


def probed(html: str, folder: Path, width: int, dark: bool) -> dict[str, Any]:
    """What the probe says of a page in a frame of this width. The console must be silent."""
    (folder / "page.html").write_text(html.replace("<head>", f"<head>{PROBE}", 1))
    frame = folder / "frame.html"
    frame.write_text(FRAME % width)
    assert BROWSER
    command = [
        *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"),
        *(f"--user-data-dir={folder / 'profile'}", "--hide-scrollbars", "--window-size=1400,1000"),
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        frame.as_uri(),
    ]
    environment = {**os.environ, "LANG": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, env=environment)
    found = re.search(r'data-probe="([^"]*)"', done.stdout)
    assert found, done.stderr
    assert "CONSOLE" not in done.stderr
    probe: dict[str, Any] = json.loads(found.group(1).replace("&quot;", '"'))
    return probe


def test_every_signal_has_its_russian_words() -> None:
    found = signals_in_russian()
    assert set(found) == set(MEANING)
    assert not [name for name, text in found.items() if not re.search("[а-яё]{3}", text)]
