"""What a connector is tested with: a loopback platform and one suite of named checks.

A connector of your own passes them in three lines::

    from connectors.testing import Case, ContractSuite

    class TestMine(ContractSuite):
        case = Case(plugin=PLUGIN, fake=MyFakePlatform)
"""

from connectors.testing.loopback import Fault, Reply, Request
from connectors.testing.platform import FakePlatform, Seed
from connectors.testing.suite import CHECKS, Case, ContractSuite

__all__ = ["CHECKS", "Case", "ContractSuite", "FakePlatform", "Fault", "Reply", "Request", "Seed"]
