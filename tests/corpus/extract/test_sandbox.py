"""No page takes its shard with it: each has a text or a counted reason, and the next page is served."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trafilatura
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from corpus.errors import StageError
from corpus.extract.sandbox import Extracted, Sandbox
from corpus.extract.stage import Extract

DATA = Path(__file__).parents[2] / "data"
ODD = (str(Path(__file__).with_name("odd_child.py")),)
PAGE = "<html><title>Букварь &amp; азбука</title><body><article>{}</article></body></html>".format(
    "".join(
        f"<p>Абзац номер {i}: в нём достаточно слов, чтобы его сочли текстом, а не меню.</p>"
        for i in range(9)
    )
)


def middle_page(name: str) -> str:
    """The defective page of an ugly WARC."""
    with (DATA / "ugly" / f"{name}.warc.gz").open("rb") as stream:
        bodies = [r.content_stream().read() for r in ArchiveIterator(stream) if r.rec_type == "response"]
    return bodies[1].decode("utf-8", errors="replace")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


@pytest.fixture
def odd() -> Iterator[Sandbox]:
    with Sandbox(timeout_s=0.5, command=ODD) as made:
        yield made


def test_an_article_gives_its_text_and_its_title(sandbox: Sandbox) -> None:
    found = sandbox.extract(PAGE, "http://a.example.ru/1.html")
    assert found.title == "Букварь & азбука"
    assert found.text.startswith("Абзац номер 0")
    assert found.text.count("\n") == 8
    assert found.drop is None


def test_the_text_is_the_one_that_trafilatura_gives_in_this_process(sandbox: Sandbox) -> None:
    with (DATA / "crawl" / "crawl-00002.warc.gz").open("rb") as stream:
        bodies = [r.content_stream().read() for r in ArchiveIterator(stream) if r.rec_type == "response"]
    pages = [body.decode("utf-8", errors="replace") for body in bodies if 1_000 < len(body) < 40_000][:30]
    for page in pages:
        ours = trafilatura.extract(page, favor_precision=True, include_comments=False) or ""
        assert sandbox.extract(page).text == ours


def test_a_page_without_text_says_so(sandbox: Sandbox) -> None:
    assert sandbox.extract("<html><body></body></html>").drop == "no_main_text"
    assert sandbox.extract("").drop == "no_main_text"


def test_a_page_above_the_size_limit_is_not_tried() -> None:
    with Sandbox(max_bytes=100) as small:
        assert small.extract("я" * 51) == Extracted(drop="page_too_large", detail="bytes=102 > 100")
        assert small.started == 0


@pytest.mark.parametrize(
    "name",
    [
        "nested-5000-divs",
        "unclosed-everything",
        "attribute-without-end",
        "comment-without-end",
    ],
)
def test_a_hostile_page_has_an_outcome_and_the_child_survives_it(sandbox: Sandbox, name: str) -> None:
    found = sandbox.extract(middle_page(name))
    assert found.text or str(found.drop) in Extract.reasons
    assert sandbox.extract(PAGE).drop is None


def test_a_page_above_the_default_size_limit_is_refused_at_once(sandbox: Sandbox) -> None:
    page = middle_page("flat-8-megabytes")
    assert len(page.encode()) > 8_000_000
    assert sandbox.extract(page).drop == "page_too_large"


@pytest.mark.parametrize("name", ["flat-8-megabytes", "links-50000"])
def test_a_page_that_takes_trafilatura_seconds_is_late_and_the_next_is_served(name: str) -> None:
    with Sandbox(timeout_s=0.5, max_bytes=20_000_000) as made:
        assert made.extract(middle_page(name)).drop == "extract_timeout"
        made.timeout_s = 10.0
        assert made.extract(PAGE).drop is None


@pytest.mark.parametrize("how", ["SLEEP", "COMPUTE", "STOP"])
def test_a_page_that_hangs_the_child_is_late_and_the_next_page_gets_a_fresh_child(
    odd: Sandbox, how: str
) -> None:
    assert odd.extract(how) == Extracted(drop="extract_timeout", detail="seconds > 0.5")
    assert odd.extract("next").text == "next"
    assert odd.started == 2


def test_a_page_that_kills_every_child_is_counted_as_a_crash(odd: Sandbox) -> None:
    assert odd.extract("DIE") == Extracted(drop="extract_crashed", detail="exit code -11")
    assert odd.extract("EXIT").drop == "extract_crashed"
    assert odd.extract("next").text == "next"


def test_a_page_whose_child_was_killed_from_outside_is_tried_again(odd: Sandbox, tmp_path: Path) -> None:
    assert odd.extract(f"DIE-ONCE {tmp_path}/died").drop is None
    assert odd.started == 2


def test_kill_9_of_the_child_in_the_middle_of_pages_loses_none() -> None:
    pages = [f"{PAGE}<!-- {i} -->" for i in range(40)]
    with Sandbox() as made:
        expected = made.extract(pages[0])
        stop = threading.Event()

        def murder() -> None:
            while not stop.wait(0.7):
                child = made._child
                if child is not None:
                    os.kill(child.process.pid, signal.SIGKILL)
                    return

        thread = threading.Thread(target=murder)
        thread.start()
        found = []
        deadline = time.monotonic() + 60
        while (made.started < 2 or len(found) < len(pages)) and time.monotonic() < deadline:
            found.append(made.extract(pages[len(found) % len(pages)]))
        stop.set()
        thread.join()
        assert made.started == 2
        assert set(found) == {expected}


def test_an_exception_is_a_reason_of_its_own(odd: Sandbox) -> None:
    assert odd.extract("RAISE") == Extracted(drop="error:RecursionError", detail="too deep")
    assert odd.started == 1


def test_a_page_that_wants_more_memory_than_allowed_gets_an_error_and_a_fresh_child_follows(
    odd: Sandbox,
) -> None:
    assert odd.extract("EAT").drop == "error:MemoryError"
    assert odd.extract("next").text == "next"
    assert odd.started == 2


@pytest.mark.parametrize("what", ["CONNECT", "RUN"])
def test_neither_network_nor_programs_are_within_reach(odd: Sandbox, what: str) -> None:
    assert odd.extract(what).drop == "error:PermissionError"


def test_what_a_library_prints_reaches_nobody(odd: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    assert odd.extract("PRINT").text == "PRINT"
    assert odd.extract("next").text == "next"
    assert capfd.readouterr() == ("", "")


def test_a_child_is_replaced_after_its_number_of_pages() -> None:
    with Sandbox(command=ODD, recycle_pages=3) as made:
        assert [made.extract(str(i)).text for i in range(7)] == list("0123456")
        assert made.started == 3


def test_after_close_a_page_starts_another_child(odd: Sandbox) -> None:
    odd.extract("one")
    child = odd._child
    assert child is not None
    odd.close()
    assert child.process.returncode is not None
    assert odd.extract("two").text == "two"


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_gets_a_child_of_its_own(odd: Sandbox) -> None:
    odd.extract("one")
    child = odd._child
    assert child is not None
    reader, writer = multiprocessing.Pipe(duplex=False)
    pid = os.fork()
    if pid == 0:
        found = odd.extract("two").text
        own = odd._child
        writer.send((found, own is not None and own.process.pid != child.process.pid))
        odd.close()
        os._exit(0)
    os.waitpid(pid, 0)
    assert reader.recv() == ("two", True)
    assert odd.extract("three").text == "three"
    assert odd.started == 1


def test_a_computing_child_dies_with_its_parent() -> None:
    program = (
        "import sys, threading, time\n"
        "from corpus.extract.sandbox import Sandbox\n"
        f"made = Sandbox(command=({ODD[0]!r},), timeout_s=100)\n"
        "made.extract('ready')\n"
        "print(made._child.process.pid, flush=True)\n"
        "made.extract('COMPUTE')\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(0.3)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not gone(child):
        time.sleep(0.05)
    assert gone(child)


def test_a_machine_with_a_tighter_memory_limit_of_its_own_is_respected() -> None:
    program = (
        "import resource\n"
        "from corpus.extract.sandbox import Sandbox\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        f"with Sandbox(command=({ODD[0]!r},)) as made:\n"
        "    print(made.extract('page').text)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "page\n"


def gone(pid: int) -> bool:
    """No such process, or one that is dead and not yet buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except OSError:
        return True


def test_a_child_that_can_not_start_fails_the_stage_and_says_how_to_find_out(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit(7)\n")
    with (
        Sandbox(command=(str(broken),)) as made,
        pytest.raises(StageError, match=r"exit code 7.*import trafilatura"),
    ):
        made.extract("page")


@pytest.mark.parametrize(
    "wrong",
    [{"favor": "speed"}, {"timeout_s": 0.0}, {"max_bytes": 0}, {"recycle_pages": 0}, {"memory_bytes": -1}],
)
def test_a_wrong_parameter_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Sandbox(**wrong)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def echo() -> Iterator[Sandbox]:
    with Sandbox(command=ODD) as made:
        yield made


@settings(deadline=None, max_examples=60)
@given(text=st.text(st.characters()), url=st.text(st.characters(), max_size=20))
def test_any_text_goes_there_and_back(echo: Sandbox, text: str, url: str) -> None:
    """Lone surrogates alone change: they have no UTF-8."""
    found = echo.extract("> " + text, url)
    assert found.text == ("> " + text).encode(errors="replace").decode()


def test_a_page_larger_than_any_pipe_goes_there_and_back(echo: Sandbox) -> None:
    page = "> " + "строка " * 200_000
    assert echo.extract(page).text == page
