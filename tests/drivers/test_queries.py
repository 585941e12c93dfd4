"""Somebody else's queries on the real database: they are answered, bounded in time, and could not have written."""

import pytest

from harness.drivers.equipment import CellEquipment
from harness.engine.queries import Queries
from harness.model.errors import Unreadable
from harness.model.events import Event, Queried
from harness.model.runbook import Query

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVENT = "gameday-query"
WRITE = "INSERT INTO notification.processed_events (event_id, processed_at) VALUES ('gameday-query', now())"
COUNT = "SELECT count(*) FROM notification.processed_events WHERE event_id = %s"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (WRITE, "read-only transaction"),
        ("CREATE TABLE notification.mine (a int)", "read-only transaction"),
        (f"SELECT 1; COMMIT; {WRITE}", "multiple commands"),
        ("SELECT set_config('transaction_read_only', 'off', false)", "read-write mode"),
        ("SELECT * FROM notification.absent", "does not exist"),
        ("SELECT pg_sleep(5)", "statement timeout"),
    ],
)
async def test_a_query_that_was_not_refused_before_is_refused_by_the_database(
    kit: CellEquipment, text: str, says: str
) -> None:
    with pytest.raises(Unreadable, match=says):
        await kit.observer.query(text)
    assert await kit.observer.sql(COUNT, (EVENT,)) == [(0,)]


async def test_what_a_query_leaves_behind_is_gone_for_the_next(kit: CellEquipment) -> None:
    await kit.observer.query("SELECT set_config('default_transaction_read_only', 'off', false)")
    await kit.observer.query("SELECT set_config('statement_timeout', '0', false)")
    with pytest.raises(Unreadable, match="read-only transaction"):
        await kit.observer.query(WRITE)
    with pytest.raises(Unreadable, match="statement timeout"):
        await kit.observer.query("SELECT pg_sleep(5)")


async def test_a_round_of_samples_tells_of_every_query(kit: CellEquipment) -> None:
    told: list[Event] = []
    queries = (
        Query("5.1/sql/1", "d1", "SELECT status, count(*) FROM account.users GROUP BY status"),
        Query("5.1/sql/2", "d2", "SELECT 1", "SELECT NULL"),
        Query("5.1/sql/3", "d3", "SELECT * FROM account.absent"),
    )
    await Queries(queries, kit.observer, kit.clock, told.append, "FM").sample("steady")
    found = [e for e in told if isinstance(e, Queried)]
    assert [(e.key, e.scaled, e.moment) for e in found] == [
        ("5.1/sql/1", False, "steady"), ("5.1/sql/2", False, "steady"), ("5.1/sql/2", True, "steady"),
        ("5.1/sql/3", False, "steady"),
    ]  # fmt: skip
    assert [e.rows for e in found[1:3]] == [[["1"]], [[None]]]
    assert [e.failed is None for e in found] == [True, True, True, False]
