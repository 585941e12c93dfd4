"""The ids that a matchmaking round may give: an answer that is lost at the right moment cannot be had from a real Redis."""

from typing import Any

import pytest

from stack.services.common.settings import Settings
from stack.services.matchmaking.queue import Queue


async def test_ids_are_kept_until_they_may_have_been_used() -> None:
    queue, given = Queue(Settings({})), list[set[str]]()

    async def match(*, keys: list[str], args: list[Any]) -> tuple[list[Any], int]:
        ids = list(args[5:])
        given.append(set(ids))
        if len(given) == 1:
            raise TimeoutError
        return ([(ids[0], "1", "2")] if len(given) == 3 else []), 0

    queue._match = match  # type: ignore[assignment]
    with pytest.raises(TimeoutError):
        await queue.match("casual", 4)
    made = [(await queue.match("casual", 4))[1] for _ in range(3)]
    lost, second, third, fourth = given
    assert not lost & second, "Redis may have used them, and only the answer was lost"
    assert second == third
    assert third - fourth == {made[1][0].match_id}, "what a match was given is nobody else's"
    assert {len(ids) for ids in given} == {4}
