"""Retries that can't make an overload worse."""

from __future__ import annotations


class RetryBudget:
    """Lets retries be a share of requests, so that a failing origin gets little more than its due.

    Args:
        ratio: Retries per request.
        reserve: Retries allowed when there were no requests yet; also the most saved up.

    >>> budget = RetryBudget(ratio=0.5, reserve=1)
    >>> budget.spend(), budget.spend()
    (True, False)
    >>> budget.earn(); budget.earn(); budget.spend()
    True
    """

    def __init__(self, ratio: float = 0.1, reserve: float = 10.0) -> None:
        self._ratio = ratio
        self._reserve = reserve
        self._tokens = reserve

    def earn(self) -> None:
        """Count a request."""
        self._tokens = min(self._reserve, self._tokens + self._ratio)

    def spend(self) -> bool:
        """Return whether a retry may be made; it is counted if so."""
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})


def may_retry(method: str, status: int) -> bool:
    """Return whether a failed call may be tried at another instance.

    As in Zuul's ``ProxyEndpoint``: 503 always, for nothing was done; 500 and a missing answer
    (504) only where doing it twice does no harm.
    """
    return status == 503 or (status in {500, 502, 504} and method in IDEMPOTENT)
