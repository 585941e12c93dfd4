"""What workloads send: nothing that a correct system must refuse."""

import random
from typing import Any

import pytest

from harness.drivers.clock import VirtualClock
from harness.model.ledger import Ledger
from harness.model.values import Reply
from scenarios.workloads.grants import Grants


class Shop:
    """A client of a system that answers each request with the next status."""

    def __init__(self, statuses: list[int | None]) -> None:
        self.clock = VirtualClock()
        self.ledger = Ledger()
        self.asked: list[tuple[str, str]] = []
        self._statuses = iter(statuses)

    async def request(self, _service: str, _method: str, path: str, *, json: Any, **_more: Any) -> Reply:
        self.asked.append((path.rpartition("/")[2], json["stock_keeping_unit"]))
        status = next(self._statuses)
        return Reply(status, b"{}", {}, None if status else "reset", 0.01)


@pytest.mark.parametrize(
    ("first", "fifth"),
    [(200, ("revokes", "unit-0")), (None, ("grants", "unit-4")), (503, ("grants", "unit-4"))],
)
async def test_what_was_granted_is_taken_back_and_nothing_else_is(first: int | None, fifth: tuple[str, str]) -> None:
    shop = Shop([first, 200, 200, 200, 200])
    rng = random.Random(1)
    for n in range(5):
        await Grants().send(shop, n * 0.2, n, rng)  # type: ignore[arg-type]
    assert shop.asked[:4] == [("grants", f"unit-{n}") for n in range(4)]
    assert shop.asked[4] == fifth
