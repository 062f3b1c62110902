"""Access keys in URLs of S3: taken out of what is said and written, and found by who opens a store."""

from collections.abc import Iterator

import pytest

from corpus import credentials, s3, storage
from corpus.errors import BukvarError


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    credentials.learn(())
    yield
    credentials.learn(())


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("s3://KEY:se/cr+et@bucket/a@b", "s3://bucket/a@b"),
        ("s3://KEY:se%2Fcret@bucket/a b?region=x", "s3://bucket/a b?region=x"),
        ('input.paths=["s3://K:one@a/x", "s3://L:two@b/y?z=1"]', 'input.paths=["s3://a/x", "s3://b/y?z=1"]'),
        ("paths=[s3://K:one@a, s3://L:two@b]", "paths=[s3://a, s3://b]"),
        ("# s3://K:one@a/x\nname = 's3://L:two@b'\n", "# s3://a/x\nname = 's3://b'\n"),
        ("s3://anonymous@bucket/a", "s3://anonymous@bucket/a"),
        ("s3://bucket/a:b@c", "s3://bucket/a:b@c"),
        ("hdfs://user:a@host/x", "hdfs://user:a@host/x"),
        ("crawl/a:b@c.warc.gz", "crawl/a:b@c.warc.gz"),
    ],
)
def test_are_taken_out_of_any_text(text: str, clean: str) -> None:
    assert credentials.take(text) == credentials.hidden(text) == clean
    assert credentials.take(clean) == clean


def test_count_for_all_that_lies_near_their_url() -> None:
    for url in ("R:read@bucket/crawl/*.warc.gz", "W:write@bucket/run", "bucket/public/a.parquet"):
        credentials.take(f"s3://{url}?region=x")
    for location, keys in {
        "s3://bucket/crawl/a/b.warc.gz?region=x": "R:read",
        "s3://bucket/crawl?region=x": "R:read",
        's3://bucket/crawl/it\'s "b".warc.gz?region=x': "R:read",
        "s3://bucket/run/_plan.json?region=x": "W:write",
        "s3://bucket/public?region=x": "",  # those of the environment, as its URL says
        "s3://bucket/run?region=y": "",  # another server's
        "s3://other/run?region=x": "",
    }.items():
        assert credentials.split(location) == (keys, location)


def test_are_given_to_both_clients() -> None:
    location = credentials.take("s3://KEY:se/cr+et@bucket/a?region=eu-west-1")
    place = s3.parse(location)
    assert place == s3.Place("KEY:se/cr+et", "bucket", "a", "region=eu-west-1")
    assert s3.userinfo(place.credentials) == s3.userinfo("KEY:se%2Fcr%2Bet") == "KEY:se%2Fcr%2Bet@"
    assert storage.open_filesystem(location)[1] == "bucket/a"
    assert s3.parse("s3://OWN:other@bucket/a").credentials == "OWN:other"


def test_travel_to_another_process() -> None:
    credentials.take("s3://KEY:secret@bucket/a")
    sent = credentials.known()
    credentials.learn(())
    assert credentials.of("s3://bucket/a") == ""
    credentials.learn(sent)
    assert credentials.of("s3://bucket/a") == "KEY:secret"


@pytest.mark.parametrize("url", ["s3://KEY:se/cret@bucket/a?bogus=1", "s3://KEY:se/cret@buc ket/a"])
def test_stand_in_no_message(url: str) -> None:
    for location in (url, credentials.take(url)):
        with pytest.raises(BukvarError) as failed:
            storage.exists(location)
        shown = f"{failed.value} {failed.value.__cause__}"
        assert "cret" not in shown
        assert "KEY" not in shown
