"""What the other node is owed: in order, through kills, within its bound, and nothing silently."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tocsin.cluster.mirror.copy import Copy, decoded, kept_headers
from tocsin.cluster.mirror.debt import Debt


def drained(debt: Debt) -> list[bytes]:
    """Pay all, in order."""
    found = []
    while (owed := debt.first()) is not None:
        found.append(owed.data)
        debt.pay(owed.sequence)
    return found


def test_first_in_first_out_through_a_kill(tmp_path: Path) -> None:
    """What was acknowledged alone would be gone with the process."""
    debt = Debt(tmp_path)
    for n in range(200):
        debt.append(b"%d" % n)
    for _ in range(100):
        owed = debt.first()
        assert owed is not None
        debt.pay(owed.sequence)
    again = Debt(tmp_path)  # the first was killed: it noted the last payment long ago
    found = [int(data) for data in drained(again)]
    assert found[-1] == 199
    assert found == list(range(found[0], 200))
    assert 100 - 64 <= found[0] <= 100
    assert (again.count, again.size) == (0, 0)
    debt.close()
    again.close()


def test_what_is_paid_takes_no_room(tmp_path: Path) -> None:
    """The disk would fill with what the other node has had for weeks."""
    debt = Debt(tmp_path, max_bytes=32_000)
    for _ in range(50):
        for _ in range(10):
            debt.append(bytes(1_000))
        assert len(drained(debt)) == 10
    debt.close()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1_000
    assert debt.evicted == 0


def test_the_oldest_goes_at_the_bound_and_is_counted(tmp_path: Path) -> None:
    """A node that is away for days would fill the disk of the one that is left."""
    debt = Debt(tmp_path, max_bytes=32_000)
    for n in range(100):
        debt.append(b"%04d" % n + bytes(996))
    assert 0 < debt.evicted < 100
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 36_000
    kept = [int(data[:4]) for data in drained(debt)]
    assert kept == list(range(debt.evicted, 100))
    debt.close()


def test_a_debt_that_is_forgiven_is_gone(tmp_path: Path) -> None:
    """A node that was removed would be owed for ever."""
    debt = Debt(tmp_path)
    debt.append(b"x")
    debt.forgive()
    assert debt.first() is None
    debt.close()
    assert Debt(tmp_path).first() is None


def test_a_copy_is_kept_as_it_came() -> None:
    """The other node would read the body in another way."""
    headers = kept_headers(
        [
            (b"content-type", b"application/x-protobuf"),
            (b"content-encoding", b"snappy"),
            (b"authorization", b"Bearer secret"),
            (b"user-agent", b"x" * 2_000),
        ]
    )
    copy = Copy(id="1", target="/a?b=%20c", headers=headers, body=b"\0\xff", at_ms=7, peer="::1")
    assert decoded(copy.encoded()) == copy
    assert [name for name, _ in headers] == [b"content-type", b"content-encoding"]


class DebtMachine(RuleBasedStateMachine):
    """A debt against a plain queue; without a bound nothing is ever lost."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.home = tempfile.TemporaryDirectory()
        self.debt = Debt(Path(self.home.name))
        self.model: deque[bytes] = deque()
        self.count = 0

    @rule(size=st.integers(0, 50))
    def owe(self, size: int) -> None:
        """One more."""
        self.count += 1
        data = b"%d " % self.count + bytes(size)
        self.debt.append(data)
        self.model.append(data)

    @rule()
    def pay(self) -> None:
        """The first of them."""
        owed = self.debt.first()
        assert (owed.data if owed else None) == (self.model[0] if self.model else None)
        if owed:
            self.debt.pay(owed.sequence)
            self.model.popleft()

    @rule()
    def restart(self) -> None:
        """In an orderly way: what is paid stays paid."""
        self.debt.close()
        self.debt = Debt(Path(self.home.name))

    @invariant()
    def counts(self) -> None:
        """Are right."""
        assert self.debt.count == len(self.model)
        assert self.debt.size == sum(map(len, self.model))

    def teardown(self) -> None:
        """Remove the files."""
        self.debt.close()
        self.home.cleanup()


TestDebt = DebtMachine.TestCase
TestDebt.settings = settings(
    max_examples=30, stateful_step_count=30, suppress_health_check=list(HealthCheck)
)
