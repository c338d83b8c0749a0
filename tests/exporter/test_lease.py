from __future__ import annotations

import os
import subprocess
import sys

import pytest

from exporter.errors import LeaseHeld, StateUnavailable
from exporter.lease import Lease

HOLD = """
import sys, pathlib
from exporter.lease import Lease
with Lease.take(pathlib.Path(sys.argv[1]), "partition-1"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lease_is_one_processs(tmp_path):
    """A second taker is refused, told who holds it, and let in once it is given up."""
    with Lease.take(tmp_path, "partition-1"):
        with pytest.raises(LeaseHeld, match=rf"pid {os.getpid()}\b"):
            Lease.take(tmp_path, "partition-1")
        with Lease.take(tmp_path, "partition-2"):
            pass
    with Lease.take(tmp_path, "partition-1"):
        pass


def test_a_lease_ends_with_its_process(tmp_path):
    """A process that was killed holds nothing any more, though its file is still there."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LeaseHeld, match=rf"pid {holder.pid}\b"):
            Lease.take(tmp_path, "partition-1")
        holder.kill()
    assert (tmp_path / "partition-1.lease").exists()
    with Lease.take(tmp_path, "partition-1"):
        pass


def test_a_directory_that_is_not_there_is_told(tmp_path):
    """A lease that cannot be written down is an error with a remedy."""
    with pytest.raises(StateUnavailable, match="state directory"):
        Lease.take(tmp_path / "nowhere", "partition-1")
