"""What every part of a device must keep, as tests: for parts that an embedding program brings itself.

Derive from a contract in a test module of yours, override its fixtures, and pytest runs the rest:

    class TestMyInstaller(InstallerContract):
        @pytest.fixture
        def bench(self, tmp_path):
            return MyBench(tmp_path)

Our own parts are held to the same contracts. What a fixture must give stands in each class. pytest explains failed
assertions better after `pytest.register_assert_rewrite("fwsm.testing.contracts")` in a `conftest.py`.

- `ClockContract`, `PolicyContract`: pure questions
- `DownloadContract`, `InstallerContract`: what survives, and what may be done twice
- `LinkContract`: what is delivered, and what a report's return means
"""

from __future__ import annotations

from fwsm.testing.contracts.clock import ClockContract
from fwsm.testing.contracts.download import DownloadBench, DownloadContract
from fwsm.testing.contracts.installer import InstallerBench, InstallerContract
from fwsm.testing.contracts.link import LinkBench, LinkContract
from fwsm.testing.contracts.policy import PolicyContract

__all__ = [
    "ClockContract",
    "DownloadBench",
    "DownloadContract",
    "InstallerBench",
    "InstallerContract",
    "LinkBench",
    "LinkContract",
    "PolicyContract",
]
