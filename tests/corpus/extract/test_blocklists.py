"""Block lists: what they block, what they let through, and what a broken line says."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus.errors import UsageError
from corpus.extract import blocklists
from corpus.extract.stage import Extract
from corpus.inputs import Input
from corpus.writing import Output

BLOCKED = {
    "casino": [
        "http://kazino-vulkan.com/", "https://www.1xbet-zerkalo.ru/", "http://xn--80aswg.xn--p1ai/казино-зеркало",
        "http://super-kazino24.net/igra", "https://mostbet.club/", "http://казино-онлайн.рф/", "http://a.biz/1xbet-zerkalo-2020",
        "http://igrovye-avtomaty-777.com/", "http://vulkan-igrat.org",
    ],
    "escort": ["http://prostitutki-spb.com/", "http://individualki-tula.info/", "http://intim-kazan.ru/"],
    "essays": ["http://diplom-na-zakaz.ru/", "https://bestreferat.ru/", "http://kursovaya-rabota.com/"],
    "pirates": ["http://my-torrents.org/x", "http://lordfilm-hd.net/", "http://smotret-film-onlajn.ru/"],
    "doorways": ["http://a.ru/skachat-besplatno-bez-registracii", "http://b.ru/kredit-bez-otkaza-na-kartu"],
}  # fmt: skip
#: Hosts of news, encyclopedias, museums and public bodies, with words in their paths that own lists look for.
LET_THROUGH = [
    "https://ru.wikipedia.org/wiki/Казино",
    "https://ru.wikipedia.org/wiki/Казино_«Рояль»",
    "https://lenta.ru/news/2019/03/01/kazino/",
    "https://www.rbc.ru/society/podpolnoe-kazino-zakryli",
    "https://tass.ru/proisshestviya/prostitutki-zaderzhany",
    "https://www.vulkan.travel/kamchatka",
    "https://www.garant.ru/news/diplom",
    "https://www.kommersant.ru/doc/torrent-trekery",
    "https://ria.ru/20200101/1xbet.html",
    "https://www.sports.ru/bookmaker/1xstavka",
    "https://www.hermitagemuseum.org/",
    "https://diplomacademy.ru/",
    "https://www.culture.ru/movies/smotret",
    "https://kremlin.ru/",
    "https://slot.ru/",
    "https://interfax.ru/russia/sloty",
]


@pytest.mark.parametrize(("kind", "url"), [(k, u) for k, us in BLOCKED.items() for u in us])
def test_own_lists_block_their_kinds(kind: str, url: str) -> None:
    found = blocklists.why(blocklists.load(blocklists.CATEGORIES, ()), url)
    assert found is not None
    assert f"category={kind} " in found


@pytest.mark.parametrize("url", LET_THROUGH)
def test_own_lists_let_news_and_encyclopedias_through(url: str) -> None:
    assert blocklists.why(blocklists.load(blocklists.CATEGORIES, ()), url) is None


def lines(name: str) -> Iterator[tuple[str, str]]:
    """(section, address) of a file of tests/data/addresses."""
    section = ""
    for line in (
        (Path(__file__).parent.parent.parent / "data/addresses" / name).read_text("utf-8").split("\n")
    ):
        if line.startswith("["):
            section = line[1:-1]
        elif line and not line.startswith("#"):
            yield section, line


def test_own_lists_tell_spam_from_what_only_sounds_like_it() -> None:
    own = blocklists.load(blocklists.CATEGORIES, ())
    wrong = [
        (k, url) for k, url in lines("spam.txt") if f"category={k} " not in (blocklists.why(own, url) or "")
    ]
    assert not wrong
    assert not [why for _, url in lines("good.txt") if (why := blocklists.why(own, url))]


@pytest.mark.parametrize(
    ("line", "blocked"),
    [
        ("127.0.0.1\tbad.example", True),
        ("0.0.0.0 bad.example#ads", True),
        (":: bad.example www.bad.example", True),
        ("0.0.0.0 other.example # bad.example", False),
        ("||bad.example^$all", True),
        ("||bad.example^$document,important", True),
        ("||bad.example^$third-party", False),
        ("||bad.example^$csp=script-src 'self' data:", False),
        ("||bad.$popup", False),
        ("|https://bad.example/|", True),
        ("*.bad.example", True),
        ("address=/bad.example/0.0.0.0", True),
        ("server=/bad.example/", True),
        ("http://bad.example:8080/", True),
        ("BAD.Example.", True),
        ("=bad.example", False),
        ("&url=bad.example", False),
        (".swf?url=bad.example", False),
        ("bad.example##.banner", False),
        ("bad.example#@#.banner", False),
        ("bad.example#%#//scriptlet('x', 'y')", False),
        ('bad.example$$script[tag-content="x y"]', False),
        ("%include other/bad.example.txt%", False),
        ("; bad.example", False),
        ("! bad.example", False),
        ("#bad.example", False),
        ("/page", True),
        ("/page*", True),
        ("*/page?x=*", True),
        ("/pages/*", False),
    ],
)
def test_lines_of_public_lists_are_read(tmp_path: Path, line: str, blocked: bool) -> None:
    (tmp_path / "list.txt").write_text(f"# list\n{line}\r\n\nelse.example")
    lists = blocklists.load((), (str(tmp_path / "list.txt"),))
    assert (blocklists.why(lists, "http://www.bad.example/page?x=1") is not None) == blocked


def test_categories_can_be_chosen() -> None:
    lists = blocklists.load(("essays",), ())
    assert blocklists.why(lists, "http://bestreferat.ru/") is not None
    assert blocklists.why(lists, "http://kazino-vulkan.com/") is None
    assert blocklists.why(blocklists.load((), ()), "http://kazino-vulkan.com/") is None


def test_a_folder_of_lists_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "ut1/adult").mkdir(parents=True)
    (tmp_path / "ut1/adult/domains").write_text("bad.example\n")
    (tmp_path / "ut1/adult/urls").write_text("half.example/bad\n")
    (tmp_path / "ut1/adult/expressions").write_text("(^|[-\\?+=/_])(bad|worse) words?\n")
    (tmp_path / "ut1/adult/usage").write_text("NAME: adult\nblack list\n")
    lists = blocklists.load((), (str(tmp_path / "ut1"),))
    assert (
        blocklists.why(lists, "http://www.bad.example/") == "list=adult/domains category=- rule=bad.example"
    )
    assert (
        blocklists.why(lists, "http://half.example/bad/x")
        == "list=adult/urls category=- rule=half.example/bad"
    )
    assert blocklists.why(lists, "http://half.example/good") is None


def test_a_broken_line_is_named_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "my.txt").write_text("good.example\nnot a rule\n")
    with pytest.raises(
        UsageError, match=r"my\.txt:2: \"not a rule\" has a space .* correct or remove the line"
    ):
        Extract(blocklists=(str(tmp_path / "my.txt"),)).check([])


@pytest.mark.parametrize("text", ["", "# nothing\n", "domain,kind\nbad.example,casino\n", "##.banner\n"])
def test_lists_without_a_rule_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "my.csv").write_text(text)
    with pytest.raises(UsageError, match=r"no line of .*my\.csv is a rule about addresses of pages"):
        Extract(blocklists=(str(tmp_path / "my.csv"),)).check([])


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no kind 'kasino'; choose from casino"):
        Extract(blocked=("kasino",))


def test_blocked_pages_are_dropped_with_the_rule(tmp_path: Path) -> None:
    page = "<html><p>" + "Мама мыла раму, и рама стала чистой. " * 20 + "</p></html>"
    urls = ["http://kazino-vulkan.com/", "http://example.ru/"]
    import pyarrow as pa

    pq.write_table(pa.table({"url": urls, "html": [page, page]}), tmp_path / "pages.parquet")
    source = Input(str(tmp_path / "pages.parquet"), "pages.parquet", "0", size=1)
    stage = Extract(blocked=("casino",))
    with Output(str(tmp_path / "out"), "00000", reasons=stage.reasons) as out:
        for batch in stage.read(source, out):
            out.rows_in += batch.num_rows
            out.split(batch)
        out.close()
    assert out.dropped == {"blocked_address": 1}
    dropped = pq.read_table(tmp_path / "out/_dropped/00000.parquet").to_pylist()
    assert [r["drop_detail"] for r in dropped] == ["list=own category=casino rule=^*kazino*"]
    assert out.rows_in == 2 == out.rows_out + 1
