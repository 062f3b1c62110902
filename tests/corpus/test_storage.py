"""Locations: names, atomic writes, listings, and what an operating system's errors become."""

import errno
import io
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import faults, globs, leftovers, storage
from corpus.errors import BukvarError, RunError, TransientError, UsageError
from corpus.extract.packed import Packed

ROOT = Path(__file__).parents[2]
S3 = "s3://bucket/a/b.parquet?endpoint_override=localhost:1&scheme=http"


class TestNames:
    def test_join_keeps_a_url_s_options_at_its_end(self) -> None:
        assert storage.join(S3, "c") == "s3://bucket/a/b.parquet/c?endpoint_override=localhost:1&scheme=http"

    def test_join_of_a_local_path_takes_a_question_mark_as_a_letter(self) -> None:
        assert storage.join("what?", "a") == "what?/a"

    def test_base_name_leaves_a_url_s_options_out(self) -> None:
        assert storage.base_name(S3) == "b.parquet"
        assert storage.base_name("a/b/") == "b"

    def test_local_path_is_none_for_an_object_store(self) -> None:
        assert storage.local_path(S3) is None
        assert storage.local_path("file:///tmp/a") == Path("/tmp/a")  # noqa: S108 - only a name

    def test_absolute_makes_local_paths_whole_and_leaves_urls(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir("/")
        assert storage.absolute("a/b") == "/a/b"
        assert storage.absolute(S3) == S3

    def test_a_web_address_is_a_usage_error_that_says_to_download(self) -> None:
        with pytest.raises(UsageError, match=r"web addresses are not read; download the file first"):
            storage.info("https://data.example.org/crawl.warc.gz")

    def test_unknown_scheme_is_a_usage_error_that_names_those_there_are(self) -> None:
        with pytest.raises(UsageError, match="s3://"):
            storage.open_filesystem("gopher://a/b")


class TestListing:
    def test_is_sorted_and_flat_unless_asked(self, tmp_path: Path) -> None:
        for name in ("b", "a", "c/d"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        assert [Path(f).name for f in storage.list_files(str(tmp_path))] == ["a", "b"]
        assert [Path(f).name for f in storage.list_files(str(tmp_path), recursive=True)] == ["a", "b", "d"]

    def test_of_a_missing_folder_is_empty(self, tmp_path: Path) -> None:
        assert storage.list_files(str(tmp_path / "missing")) == []

    def test_of_an_unreadable_folder_is_an_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(path: str) -> None:
            raise PermissionError(errno.EACCES, "Permission denied", path)

        monkeypatch.setattr(os, "scandir", refuse)
        with pytest.raises(RunError, match="no permission"):
            storage.list_files(str(tmp_path))


class TestGlob:
    def test_star_stays_within_a_folder_and_two_cross_folders(self, tmp_path: Path) -> None:
        for name in ("a.gz", "x/b.gz", "x/y/c.gz", "x/c.txt"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        found = [os.path.relpath(f, tmp_path) for f in globs.expand(f"{tmp_path}/*.gz")]
        assert found == ["a.gz"]
        found = [os.path.relpath(f, tmp_path) for f in globs.expand(f"{tmp_path}/**/*.gz")]
        assert found == ["a.gz", "x/b.gz", "x/y/c.gz"]

    def test_what_is_no_glob_is_itself(self) -> None:
        assert globs.expand("no/such.file") == ["no/such.file"]
        assert globs.expand(S3) == [S3]

    def test_of_a_url_keeps_its_options(self, monkeypatch: pytest.MonkeyPatch) -> None:
        options = "?endpoint_override=localhost:1&scheme=http"
        sizes = {"1.gz": storage.File(1, 0), "2.xz": storage.File(2, 0), "3.gz": storage.File(3, 0)}
        listed = {f"s3://b/data{options}": sizes}
        monkeypatch.setattr(storage, "list_tree", listed.__getitem__)
        found = [f"s3://b/data/1.gz{options}", f"s3://b/data/3.gz{options}"]
        assert globs.expand(f"s3://b/data/*.gz{options}") == found
        assert globs.files(f"s3://b/data/*.gz{options}") == dict(
            zip(found, (sizes["1.gz"], sizes["3.gz"]), strict=True)
        )

    @pytest.mark.parametrize(
        ("pattern", "path", "matches"),
        [
            ("s3://b/*.gz", "s3://b/a.gz", True),
            ("s3://b/*.gz", "s3://b/x/a.gz", False),
            ("s3://b/**/*.gz", "s3://b/a.gz", True),
            ("s3://b/**/*.gz", "s3://b/x/y/a.gz", True),
            ("s3://b/a[12].gz", "s3://b/a2.gz", True),
            ("s3://b/a.gz", "s3://b/aXgz", False),
        ],
    )
    def test_of_a_url_means_the_same(self, pattern: str, path: str, *, matches: bool) -> None:
        import re

        assert bool(re.fullmatch(globs.glob_to_regex(pattern), path)) is matches


class TestWriting:
    def test_content_appears_under_its_name_at_the_end_only(self, tmp_path: Path) -> None:
        target = tmp_path / "deep/file"
        with storage.write_atomic(str(target)) as stream:
            stream.write(b"a")
            assert not target.exists()
        assert target.read_bytes() == b"a"

    def test_error_in_the_middle_leaves_what_was_there(self, tmp_path: Path) -> None:
        target = tmp_path / "file"
        storage.write_bytes(str(target), b"old")

        def fail() -> None:
            with storage.write_atomic(str(target)) as stream:
                stream.write(b"new")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert target.read_bytes() == b"old"
        assert [p.name for p in tmp_path.iterdir()] == ["file"]

    @pytest.mark.parametrize("size", [3, storage._SPOOL + 1])
    def test_an_object_is_put_whole_at_the_end(self, tmp_path: Path, size: int) -> None:
        target = f"mock://stores/{tmp_path.name}"
        with storage.write_atomic(target, str(tmp_path)) as stream:
            stream.write(b"a" * size)
            assert not storage.exists(target)
        assert storage.read_bytes(target) == b"a" * size
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
    def test_a_writer_that_is_stopped_leaves_the_object_that_another_wrote(
        self, tmp_path: Path, error: type[BaseException]
    ) -> None:
        """As the second copy of a task, which is stopped when the first one is done."""
        target = f"mock://stores/{tmp_path.name}"
        storage.write_bytes(target, b"whole")

        def fail() -> None:
            with storage.write_atomic(target) as stream:
                stream.write(b"who")
                raise error

        with pytest.raises(error):
            fail()
        assert storage.read_bytes(target) == b"whole"

    @pytest.fixture
    def showing(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
        """A location on a file system that shows files while they are written, as HDFS does."""
        monkeypatch.setattr(storage, "_SHOWING", ("mock",))
        return f"mock://stores/{tmp_path.name}"

    def test_on_hdfs_a_file_is_written_beside_and_moved(self, showing: str) -> None:
        storage.write_bytes(showing, b"old")
        with storage.write_atomic(showing) as stream:
            stream.write(b"new")
        assert storage.read_bytes(showing) == b"new"
        assert storage.list_partials("mock://stores/") == {}

    @pytest.mark.parametrize("fails", ["write", "move"])
    def test_on_hdfs_a_write_that_fails_leaves_the_old_file_and_nothing_beside(
        self, showing: str, monkeypatch: pytest.MonkeyPatch, fails: str
    ) -> None:
        storage.write_bytes(showing, b"old")
        real, path = storage.open_filesystem(showing)

        class Failing:
            type_name = "mock"
            delete_file = real.delete_file

            def open_output_stream(self, place: str) -> Any:
                assert place != path
                stream = real.open_output_stream(place)
                if fails == "write":
                    stream.write(b"n")
                    stream.close()
                    raise OSError("cut off")
                return stream

            def move(self, _: str, __: str) -> None:
                raise OSError("cut off")

        with monkeypatch.context() as patch:
            patch.setattr(storage, "open_filesystem", lambda _: (Failing(), path))
            with pytest.raises(BukvarError, match="cut off"):
                storage._put(showing, b"new")
        assert storage.read_bytes(showing) == b"old"
        assert storage.list_partials("mock://stores/") == {}

    def test_what_a_killed_writer_left_on_hdfs_is_no_file_and_is_cleaned(self, showing: str) -> None:
        folder = storage.parent(showing)
        filesystem, path = storage.open_filesystem(showing)
        place = path.rpartition("/")[0]
        gone = storage.partial_name("a.parquet").replace(f".{os.getpid()}.", ".4194305.")
        ours = storage.partial_name("b.parquet")
        for name in (gone, ours, Path(path).name):
            with filesystem.open_output_stream(f"{place}/{name}") as stream:
                stream.write(b"x")
        assert showing in storage.list_files(folder)
        assert not any(map(storage.is_partial, storage.list_tree(folder)))
        leftovers.clean_leftovers(folder)
        assert [storage.base_name(one) for one in storage.list_partials(folder)] == [ours]
        storage.delete(storage.join(folder, ours))

    @pytest.mark.parametrize("content", [b"", b"made here"])
    def test_a_local_file_is_put_as_it_is(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "made").write_bytes(content)
        storage.upload(tmp_path / "made", f"mock://stores/{tmp_path.name}")
        assert storage.read_bytes(f"mock://stores/{tmp_path.name}") == content

    def test_leftovers_of_killed_writers_are_cleaned_and_nothing_else(self, tmp_path: Path) -> None:
        (tmp_path / "_dropped").mkdir()
        gone, ours = storage.partial_name("a.parquet"), storage.partial_name("b.parquet")
        (tmp_path / "_dropped" / gone.replace(f".{os.getpid()}.", ".4194305.")).touch()
        (tmp_path / "_dropped" / ours).touch()
        elsewhere = tmp_path / "_dropped" / ours.replace(platform.node(), "elsewhere")
        elsewhere.touch()
        expired = tmp_path / "_dropped" / gone.replace(platform.node(), "elsewhere")
        expired.touch()
        os.utime(expired, (0, 0))
        (tmp_path / "kept.partial").touch()
        (tmp_path / ".hidden").touch()
        leftovers.clean_leftovers(str(tmp_path))
        assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == sorted(
            [ours, elsewhere.name, ".hidden", "kept.partial"]
        )

    def test_deleting_what_is_not_there_is_no_error(self, tmp_path: Path) -> None:
        (tmp_path / "other").touch()
        storage.delete(str(tmp_path / "missing"))
        assert [p.name for p in tmp_path.iterdir()] == ["other"]

    def test_many_are_deleted_and_an_error_is_raised(self, tmp_path: Path) -> None:
        paths = [str(tmp_path / str(n)) for n in range(100)]
        for path in paths[1:]:
            Path(path).touch()
        (tmp_path / "kept").touch()
        storage.delete_all(paths)
        assert [p.name for p in tmp_path.iterdir()] == ["kept"]
        with pytest.raises(UsageError, match="files are read only"):
            storage.delete_all([*paths, "hf://datasets/a/b/c"])

    @given(st.binary(max_size=4096))
    def test_digest_and_size_are_those_of_the_content(self, data: bytes) -> None:
        import hashlib
        import tempfile

        with tempfile.NamedTemporaryFile() as file:
            Path(file.name).write_bytes(data)
            assert storage.sha256(file.name) == (hashlib.sha256(data).hexdigest(), len(data))


class TestErrors:
    @pytest.mark.parametrize(
        ("error", "kind", "says"),
        [
            (OSError(errno.ENOSPC, "No space left on device"), RunError, "disk is full; free some space"),
            (OSError("writing bytes. Detail: [errno 28] No space left"), RunError, "disk is full"),
            (OSError(errno.EDQUOT, "Quota exceeded"), RunError, "disk is full"),
            (PermissionError(errno.EACCES, "Permission denied"), RunError, "no permission; check its owner"),
            (OSError(errno.EROFS, "Read-only file system"), RunError, "is read-only; choose"),
            (FileNotFoundError(errno.ENOENT, "No such file"), UsageError, "no such file or folder"),
            (NotADirectoryError(errno.ENOTDIR, "Not a directory"), UsageError, "choose another --out"),
            (OSError("AWS Error ACCESS_DENIED during HeadObject"), RunError, "check the credentials"),
            (
                OSError(
                    "AWS Error INVALID_ACCESS_KEY_ID during ListObjectsV2 operation: The AWS Access Key Id "
                    "you provided does not exist in our records."
                ),
                RunError,
                "check the credentials",
            ),
            (OSError("odd\nsecond line"), RunError, "odd"),
        ],
    )
    def test_each_becomes_one_line_that_says_what_to_do(
        self, error: OSError, kind: type[BukvarError], says: str
    ) -> None:
        with pytest.raises(kind) as caught, storage.translated("out/x"):
            raise error
        assert str(caught.value).startswith("out/x: ")
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_only_a_full_disk_and_missing_rights_stop_everything(self) -> None:
        assert storage.stops_everything(OSError(errno.ENOSPC, "full"))
        assert storage.stops_everything(OSError("[errno 13] Permission denied"))
        assert not storage.stops_everything(OSError(errno.EIO, "Input/output error"))

    @pytest.mark.parametrize(
        "said",
        ["Invalid data stream", "Not a gzipped file (b'ab')", "ZSTD decompress failed: Data corruption"],
    )
    def test_a_decompressor_s_complaint_is_no_system_error(self, said: str) -> None:
        assert not storage.is_system_error(OSError(said))
        assert not storage.passes_by_itself(OSError(said))

    @pytest.mark.parametrize(
        ("said", "passes"),
        [
            ("AWS Error NETWORK_CONNECTION during GetObject operation: curlCode: 28, Timeout", True),
            ("AWS Error UNKNOWN (HTTP status 503) during GetObject operation: No response body", True),
            ("AWS Error ACCESS_DENIED during GetObject operation: Access Denied", False),
        ],
    )
    def test_what_a_server_did_is_never_taken_for_damage(self, said: str, *, passes: bool) -> None:
        """A file that is read in pieces would count as cut short, and its rest would be lost."""

        class Stream(io.RawIOBase):
            def read1(self, _: int) -> bytes:
                raise OSError(said)

        assert storage.passes_by_itself(OSError(said)) is passes
        packed = Packed(Stream())
        with pytest.raises(OSError, match="AWS Error"):
            packed.read(10)
        assert packed.damage is None


class TestPatience:
    """By a clock that sleeping moves."""

    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        now = [0.0]
        monkeypatch.setattr(faults.time, "monotonic", lambda: now[0])
        monkeypatch.setattr(faults.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
        monkeypatch.setattr(faults, "_answered", set())
        return now

    def refusing_until(self, clock: list[float], end: float) -> Callable[[], str]:
        def operation() -> str:
            if clock[0] < end:
                raise OSError("AWS Error SLOW_DOWN (HTTP status 503) during GetObject operation")
            return "answer"

        return operation

    def test_a_store_that_refuses_for_minutes_is_waited_for(self, clock: list[float]) -> None:
        assert storage.patiently("s3://b/k", self.refusing_until(clock, 120)) == "answer"

    def test_what_a_person_typed_is_not(self, clock: list[float]) -> None:
        with storage.impatient(), pytest.raises(TransientError):
            storage.patiently("s3://b/k", self.refusing_until(clock, 120))
        assert clock[0] < 10

    def test_but_work_that_follows_is_patient_again(self, clock: list[float]) -> None:
        with storage.impatient():
            with storage.patient():
                assert storage.patiently("s3://b/k", self.refusing_until(clock, 120)) == "answer"
            with pytest.raises(TransientError):
                storage.patiently("s3://c/k", self.refusing_until(clock, 10**6))

    def test_nor_is_any_store_by_a_process_that_was_asked_to_stop(self, clock: list[float]) -> None:
        storage.patiently("s3://b/k", lambda: None)
        faults.stopping.set()
        try:
            with pytest.raises(TransientError):
                storage.patiently("s3://b/k", self.refusing_until(clock, 120))
        finally:
            faults.stopping.clear()
        assert clock[0] < 10

    def test_but_for_a_store_that_has_answered(self, clock: list[float]) -> None:
        """Planning reads ten thousand inputs, which takes minutes."""
        with storage.impatient():
            storage.patiently("s3://b/k?region=x", lambda: None)
            assert storage.patiently("s3://b/l?region=x", self.refusing_until(clock, 120)) == "answer"
            with pytest.raises(TransientError):
                storage.patiently("s3://other/k?region=x", self.refusing_until(clock, 10**6))

    def test_a_file_is_read_anew_where_the_server_stops_in_the_middle(
        self, tmp_path: Path, clock: list[float]
    ) -> None:
        (tmp_path / "file").write_bytes(b"abcdef")
        refuse = self.refusing_until(clock, 60)
        read = []

        def read_all(stream: Any) -> bytes:
            read.append(stream.read(3))
            refuse()
            return read[-1] + stream.read()

        assert storage.reading(str(tmp_path / "file"), read_all) == b"abcdef"
        assert len(read) > 2

    def test_another_error_of_reading_is_raised_as_it_came(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"abc")

        def fail(_: Any) -> None:
            raise OSError("Invalid data stream")

        with pytest.raises(OSError, match="Invalid data stream"):
            storage.reading(str(tmp_path / "file"), fail)


class TestWritersThatLive:
    """Workers end some time after Ray says that it has ended."""

    WRITER = """
import sys, time
from corpus import storage
open(sys.argv[1] + "/" + storage.partial_name("a.parquet"), "w").close()
print("began", flush=True)
sys.stdin.read()
time.sleep(0.5)
"""

    @pytest.fixture
    def writer(self, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
        """A process with a partial file, which ends half a second after its stdin is closed."""
        command = [sys.executable, "-c", self.WRITER, str(tmp_path)]
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "began\n"
            yield process

    def test_are_waited_for(self, tmp_path: Path, writer: subprocess.Popen[str]) -> None:
        assert writer.stdin is not None
        writer.stdin.close()
        leftovers.clean_leftovers(str(tmp_path), wait=60)
        assert not list(tmp_path.iterdir())

    def test_as_long_as_their_files_are_there(self, tmp_path: Path, writer: subprocess.Popen[str]) -> None:
        """A worker may end its file and live on."""
        (partial,) = tmp_path.iterdir()
        threading.Timer(0.3, partial.unlink).start()
        leftovers.clean_leftovers(str(tmp_path), wait=10**6)
        assert writer.poll() is None

    def test_but_not_for_ever(self, tmp_path: Path, writer: subprocess.Popen[str]) -> None:
        leftovers.clean_leftovers(str(tmp_path), wait=0.2)
        assert writer.poll() is None
        assert len(list(tmp_path.iterdir())) == 1

    def test_this_process_itself_is_not_waited_for(self, tmp_path: Path) -> None:
        """The thread that renews the lease, or writes metrics, may write just now."""
        (tmp_path / storage.partial_name("run.prom")).touch()
        leftovers.clean_leftovers(str(tmp_path), wait=10**6)
        assert len(list(tmp_path.iterdir())) == 1


def test_a_process_that_began_after_a_file_was_written_is_not_its_writer(tmp_path: Path) -> None:
    partial = tmp_path / storage.partial_name("a.parquet")
    for pid in (os.getpid(), 1):
        path = partial.with_name(partial.name.replace(f".{os.getpid()}.", f".{pid}."))
        path.touch()
        os.utime(path, (1e9, 1e9))
    leftovers.clean_leftovers(str(tmp_path), wait=10**6)
    assert not list(tmp_path.iterdir())
    assert abs(leftovers.began(os.getpid()) - time.time()) < 24 * 3600
    assert leftovers.began(2**22 + 1) == 0


def test_a_killed_process_that_nobody_has_waited_for_runs_no_more() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        assert leftovers.is_alive(process.pid)
        process.kill()
        deadline = time.monotonic() + 60
        while leftovers.is_alive(process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert process.returncode is None
        assert not leftovers.is_alive(process.pid)
    assert not leftovers.is_alive(process.pid)
    assert leftovers.is_alive(os.getpid())
