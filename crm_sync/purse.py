"""Pays for requests of a reconciliation out of the account's budget: waits a little, or says that it is too much."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeVar

from crm_sync.tab import Tab, on_tab, settled
from cti.errors import CtiError

T = TypeVar("T")

LONGEST_WAIT_SECONDS: Final = 120.0
"""What lasts longer is not waited for: the run is given back."""
NAP_SECONDS: Final = 20.0
"""After so long it is asked again, which keeps the lease."""
AGAIN_SECONDS: Final = 600.0
"""After so long a run goes on that could not."""


class NotNow(CtiError):
    """A run cannot go on for some time."""

    def __init__(self, seconds: float, message: str) -> None:
        super().__init__(message)
        self.seconds = seconds


class Spend(Protocol):
    """Takes requests out of the budget; returns 0, or after how many seconds to ask again."""

    async def __call__(self, *, requests: int, stand_back: bool) -> float: ...


class Purse:
    """What one run has for its requests."""

    def __init__(
        self, spend: Spend, *, stand_back_seconds: float, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        """`stand_back_seconds`: so long in all it waits while calls wait to be written."""
        self._spend = spend
        self._stand_back_seconds = stand_back_seconds
        self._sleep = sleep
        self._stood_back = 0.0
        self.requests = 0
        """Paid so far."""

    async def pay(self, requests: int = 1) -> None:
        """Pay for requests. Raises NotNow when that would take long."""
        waited = 0.0
        while True:
            back = self._stood_back < self._stand_back_seconds
            wait = await self._spend(requests=requests, stand_back=back)
            if wait <= 0:
                self.requests += requests
                return
            if wait > LONGEST_WAIT_SECONDS or (not back and waited > LONGEST_WAIT_SECONDS):
                raise NotNow(max(wait, AGAIN_SECONDS), "the CRM's account has no requests left for it now")
            nap = min(wait, NAP_SECONDS)
            await self._sleep(nap)
            waited += nap
            if back:
                self._stood_back += nap

    async def answer(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the answer to a question: one request is paid beforehand, and those beyond while it goes on."""
        await self.pay()
        with on_tab(Tab(self.pay, paid=1)):
            answer = await ask()
            await settled()
        return answer
