"""A run in an object store is looked at as one on a disk: inspect, why, report, compare; a real server."""

import json
from pathlib import Path

import pytest

from tests.pipelines.stages import write_texts
from tests.pipelines.test_object_store import bukvar, put, url
from tests.pipelines.test_publish_s3 import server  # noqa: F401 - a fixture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

TEXTS = {
    "http://a.ru/1": "Весной река поднялась выше обычного, и дорога к мосту ушла под воду до самого лета.",
    "http://b.ru/2": "This page is in English and has nothing for a Russian reader, not a single word of it.",
    "http://a.ru/3": "В мастерской чинили часы, и запах масла стоял с самого утра. Мастер разбирал маятник.",
}


def test_inspect_why_report_and_compare_read_a_store(server: str, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    write_texts(tmp_path / "in/a.parquet", list(TEXTS.values()), url=list(TEXTS))
    put(server, tmp_path / "in", "look/in")
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        f'[input]\npaths = ["{url(server, "look/in")}"]\n[run]\nstages = ["identify", "clean", "publish"]\n'
    )
    for name, settings in (("one", []), ("other", ["--set", "identify.keep=all"])):
        where = url(server, f"look/{name}")
        done = bukvar("run", str(recipe), "--out", where, "--executor", "inline", "-q", *settings)
        assert done.returncode == 0, done.stderr
    one, other = url(server, "look/one"), url(server, "look/other")

    stage = url(server, "look/one/clean")
    found = bukvar("inspect", stage, "--where", "text LIKE 'Весной%'", "--json")
    assert [row["url"] for row in json.loads(found.stdout)] == ["http://a.ru/1"], found.stderr
    assert bukvar("inspect", url(server, "look/one/dataset"), "--host", "a.ru", "--count").stdout == "2\n"
    assert len(json.loads(bukvar("inspect", stage, "--sample", "1", "--json").stdout)) == 1

    (trace,) = json.loads(bukvar("why", "http://b.ru/2", one, "--json").stdout)
    assert [(s["stage"], s["state"]) for s in trace["steps"]] == [("identify", "dropped")]

    assert bukvar("report", one, "--out", str(tmp_path / "r.html")).returncode == 0
    assert "not_russian" in (tmp_path / "r.html").read_text()
    compared = bukvar("report", "--compare", one, other, "--out", str(tmp_path / "c.html"), "--json")
    assert json.loads(compared.stdout)["changed"] == [
        {"first": "identify: not_russian", "second": "kept", "documents": 1}
    ], compared.stderr
