"""What the fake API answers pages about people, alerts, the machine and the public."""

from dashboards.testing.operations.fake_operations import FakeOperations

__all__ = ["FakeOperations"]
