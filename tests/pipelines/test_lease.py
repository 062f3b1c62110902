"""One driver a folder: a second is refused with the first one's name, a dead one's claim is taken over."""

import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from corpus.errors import RunError, UsageError
from corpus.faults import stopping
from pipelines import lease as leases
from pipelines.lease import Lease, lease


def put(folder: Path, **fields: object) -> None:
    now = time.time()
    found = Lease("elsewhere", 7, "boot", "token", now, now)
    (folder / "_driver.json").write_bytes(msgspec.json.encode(dataclasses.replace(found, **fields)))  # type: ignore[arg-type]


def test_a_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    with lease(str(tmp_path)):
        assert leases.read(str(tmp_path)).pid == os.getpid()  # type: ignore[union-attr]
    assert not list(tmp_path.iterdir())


def test_one_process_may_hold_a_run_and_its_stage(tmp_path: Path) -> None:
    with lease(str(tmp_path)), lease(str(tmp_path)):
        pass
    assert not list(tmp_path.iterdir())


def test_a_second_process_is_refused_with_the_first_one_s_name(tmp_path: Path) -> None:
    program = "import sys\nfrom pipelines.lease import lease\nwith lease(sys.argv[1]): pass"
    with lease(str(tmp_path)):
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
        )
    assert f"process {os.getpid()} on" in done.stderr
    assert "last heartbeat" in done.stderr


def test_the_claim_of_a_process_that_is_gone_is_taken_over(tmp_path: Path) -> None:
    put(tmp_path, host=leases.socket.gethostname(), boot=leases._boot(), pid=2**22 + 1)
    with lease(str(tmp_path)):
        assert leases.read(str(tmp_path)).pid == os.getpid()  # type: ignore[union-attr]


def test_a_process_that_has_the_number_of_a_dead_driver_is_not_taken_for_it(tmp_path: Path) -> None:
    put(
        tmp_path,
        host=leases.socket.gethostname(),
        boot=leases._boot(),
        pid=os.getpid(),
        started=1e9,
        seen=1e9,
    )
    with lease(str(tmp_path)):
        assert leases.read(str(tmp_path)).started > 1e9  # type: ignore[union-attr]


def test_a_driver_that_is_silent_but_lives_holds_its_folder(tmp_path: Path) -> None:
    """Its store may not answer for minutes."""
    put(tmp_path, host=leases.socket.gethostname(), boot=leases._boot(), pid=os.getpid(), seen=1e9)
    with pytest.raises(UsageError, match="another bukvar works on this folder"), lease(str(tmp_path)):
        pass


def test_another_machine_s_claim_holds_while_it_gives_signs_of_life(tmp_path: Path) -> None:
    put(tmp_path)
    with pytest.raises(UsageError, match="process 7 on elsewhere"), lease(str(tmp_path)):
        pass
    put(tmp_path, seen=time.time() - leases.EXPIRES - 1)
    with lease(str(tmp_path)):
        pass


def test_a_damaged_claim_is_none(tmp_path: Path) -> None:
    (tmp_path / "_driver.json").write_text("{")
    with lease(str(tmp_path)):
        assert leases.read(str(tmp_path)).pid == os.getpid()  # type: ignore[union-attr]


def test_the_claim_of_a_process_of_another_container_is_known_by_its_signs_of_life(tmp_path: Path) -> None:
    """Where containers share the host's name, a process number of one means nothing in another."""
    put(tmp_path, host=leases.socket.gethostname(), boot="this machine pid:[1]", pid=2**22 + 1)
    with pytest.raises(UsageError, match="another bukvar works on this folder"), lease(str(tmp_path)):
        pass


def test_of_two_that_began_at_once_the_first_learns_of_the_second_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks soon after it has begun, and not only when it is to give its next heartbeat."""
    take = leases._take

    def take_at_once(location: str, own: Lease, held: Lease | None) -> None:
        take(location, own, held)
        put(tmp_path)

    monkeypatch.setattr(leases, "_take", take_at_once)
    monkeypatch.setattr(leases, "FIRST", 0.01)
    monkeypatch.setattr(leases, "RENEW", 10.0**6)

    def begin(held: leases.Held) -> None:
        end = time.monotonic() + 60
        while held.is_ours:
            assert time.monotonic() < end
            time.sleep(0.01)
        held.check()

    with pytest.raises(RunError, match="taken over"), lease(str(tmp_path)) as held:
        begin(held)


def test_a_claim_that_was_not_given_up_is_remembered(tmp_path: Path) -> None:
    with lease(str(tmp_path)) as held:
        assert held.after is None
    put(tmp_path, seen=0.0)
    with lease(str(tmp_path)) as held:
        assert held.after is not None
        assert held.after.pid == 7


def test_who_was_silent_for_too_long_learns_that_another_took_over(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="taken over by another bukvar"), lease(str(tmp_path)):
        put(tmp_path)
    assert (tmp_path / "_driver.json").exists()


def test_ctrl_c_ends_all_patience_until_a_folder_is_held_again(tmp_path: Path) -> None:
    def interrupted() -> None:
        with lease(str(tmp_path / "run")), lease(str(tmp_path / "stage")):
            assert not stopping.is_set()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert stopping.is_set()
    assert not list(tmp_path.rglob("_driver.json"))
    with lease(str(tmp_path / "run")):
        assert not stopping.is_set()
