"""What is reported of an act that did not come to its end."""

import asyncio
from typing import Any

import pytest

from harness.drivers.acts import Act, Changes


def changes(told: list[Act]) -> Changes:
    nothing: Any = None
    return Changes(nothing, nothing, "operator", told.append)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (asyncio.CancelledError(), "cut off before its end"),
        (KeyboardInterrupt(), "cut off before its end"),
        (KeyError("x"), "KeyError: 'x'"),
    ],
)
async def test_an_act_that_did_not_end_is_not_told_as_done(error: BaseException, says: str) -> None:
    told: list[Act] = []
    with pytest.raises(type(error)) as raised:
        async with changes(told).act("restart", "front"):
            raise error
    assert raised.value is error
    assert [act.failed for act in told] == [says]


async def test_an_act_that_ended_is_told_as_done() -> None:
    told: list[Act] = []
    async with changes(told).act("restart", "front"):
        pass
    assert [act.failed for act in told] == [None]
