"""A cell's own verbs, each seen in its effect; and what a person on call can and cannot do."""

import pytest

from harness.drivers.clock import wait_until
from harness.drivers.equipment import CellEquipment
from harness.engine.reconcile import reconcile
from harness.model.errors import ActFailed, Unreadable
from harness.model.values import PartStatus

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("part", ["postgres", "redis", "nats", "account", "toxiproxy"])
async def test_stop_kill_freeze_and_healing(kit: CellEquipment, part: str) -> None:
    (before,) = kit.cell.states(part)
    await kit.injector.freeze(part)
    assert kit.cell.states(part)[0].status is PartStatus.FROZEN
    assert kit.cell.states(part)[0].identity == before.identity
    await kit.cell.thaw(part)
    assert kit.cell.states(part)[0].status is PartStatus.RUNNING
    await kit.injector.kill(part)
    assert kit.cell.states(part)[0].status is PartStatus.STOPPED
    done = await reconcile(kit)
    assert any(part in d.lower() for d in done), done
    (after,) = kit.cell.states(part)
    assert after.status is PartStatus.RUNNING
    assert after.identity != before.identity


async def test_a_stopped_part_stays_stopped_and_keeps_its_port(kit: CellEquipment) -> None:
    address = kit.cell.address("redis")
    await kit.injector.stop("redis")
    assert not (await kit.observer.reach("matchmaking->redis")).answered
    with pytest.raises(Unreadable):
        await kit.observer.redis("PING")
    await reconcile(kit)
    assert kit.cell.address("redis") == address
    assert await kit.observer.redis("PING") is True


async def test_a_restart_ends_a_frozen_process_too(kit: CellEquipment) -> None:
    (before,) = kit.cell.states("notification")
    await kit.injector.freeze("notification")
    await kit.operator.restart("notification")
    (after,) = kit.cell.states("notification")
    assert (after.status, after.identity == before.identity) == (PartStatus.RUNNING, False)


async def test_settings_are_changed_rolled_back_and_masked(kit: CellEquipment) -> None:
    await kit.injector.set_setting("account", "account.database.pool-size", "3")
    assert kit.observer.setting("account", "account.database.pool-size") == "3"
    change = await kit.operator.rollback_setting("account")
    assert (change.old, change.new) == ("10", "3")
    assert kit.observer.setting("account", "account.database.pool-size") == "10"
    assert [(c.kind, c.what, c.new) for c in kit.operator.changes()] == [
        ("setting", "account.database.pool-size", "3"),
        ("setting", "account.database.pool-size", "10"),
    ]


async def test_nothing_to_roll_back_is_said(kit: CellEquipment) -> None:
    with pytest.raises(ActFailed, match="no setting of account was changed"):
        await kit.operator.rollback_setting("account")
    with pytest.raises(ActFailed, match="no release of account was changed"):
        await kit.operator.rollback_release("account")


async def test_on_call_cannot_touch_what_is_somebody_elses(kit: CellEquipment) -> None:
    for act in (
        kit.operator.restart("destination"),
        kit.operator.set_setting("destination", "destination.servers", "9"),
    ):
        with pytest.raises(ActFailed, match="belongs to its provider"):
            await act
    with pytest.raises(ActFailed, match="there is no service postgres"):
        await kit.operator.restart("postgres")


async def test_on_call_has_limited_roles(kit: CellEquipment) -> None:
    for statement in (
        "DROP TABLE account.users",
        "DELETE FROM account.users",
        "DELETE FROM account.audit_logs",
        "ALTER ROLE oncall SUPERUSER",
        "CREATE TABLE account.mine (x int)",
        "UPDATE entitlement.nothing SET x = 1",
    ):
        with pytest.raises(ActFailed, match="refused"):
            await kit.operator.sql(statement)
    for command in (
        ("FLUSHALL",),
        ("CONFIG", "SET", "maxmemory", "1"),
        ("SET", "mm:x", "1"),
        ("SHUTDOWN",),
        ("KEYS", "*"),
    ):
        with pytest.raises(ActFailed, match="Redis refused"):
            await kit.operator.redis(*command)
    assert await kit.operator.sql("SELECT count(*) FROM account.users") == [(0,)]


async def test_probes_cannot_write(kit: CellEquipment) -> None:
    with pytest.raises(Unreadable, match=r"read-only|permission denied"):
        await kit.observer.sql("DELETE FROM account.users")
    with pytest.raises(Unreadable, match="no reading command"):
        await kit.observer.redis("FLUSHALL")


async def test_held_locks_are_seen_listed_and_ended(kit: CellEquipment) -> None:
    await kit.injector.hold_locks("account", ["LOCK TABLE account.users IN ACCESS EXCLUSIVE MODE"])
    held = [s for s in await kit.operator.sessions() if s["state"] == "idle in transaction"]
    assert [(s["user"], s["application"]) for s in held] == [("account", "psql")]
    await kit.operator.end_session(held[0]["pid"])
    assert not [s for s in await kit.operator.sessions() if s["state"] == "idle in transaction"]
    with pytest.raises(ActFailed):
        await kit.operator.end_session(held[0]["pid"])


async def test_clients_of_redis_are_listed_and_ended(kit: CellEquipment) -> None:
    clients = await kit.operator.redis_clients()
    (one, *_) = [c for c in clients if c.get("name") == "matchmaking"]
    await kit.operator.end_redis_client(one["id"])
    with pytest.raises(ActFailed, match="no client"):
        await kit.operator.end_redis_client(one["id"])


async def test_jobs_are_listed_slowed_and_stopped(kit: CellEquipment) -> None:
    await kit.injector.start_job("signup-import", {"JOB_RATE_HZ": "50", "IMPORT_HERD": "4"})
    assert await kit.operator.jobs() == ["signup-import"]

    async def users(at_least: int) -> bool:
        return (await kit.observer.sql("SELECT count(*) FROM account.users"))[0][0] >= at_least

    await wait_until(lambda: users(5), what="imported users", timeout_s=15)
    await kit.operator.slow_job("signup-import", 0)
    await kit.operator.stop_job("signup-import")
    assert await kit.operator.jobs() == []
    with pytest.raises(ActFailed, match="does not run"):
        await kit.operator.stop_job("signup-import")
    with pytest.raises(ActFailed, match="there is no job"):
        await kit.operator.start_job("nonsense")


async def test_scaled_instances_run_and_go(kit: CellEquipment) -> None:
    await kit.operator.scale("notification", 3)
    assert [s.name for s in kit.cell.states("notification")] == ["notification", "notification#2", "notification#3"]
    assert len({s.identity for s in kit.cell.states("notification")}) == 3
    await kit.operator.scale("notification", 1)
    assert [s.name for s in kit.cell.states("notification")] == ["notification"]


async def test_a_drift_of_schema_grants_or_consumers_is_seen(kit: CellEquipment) -> None:
    await kit.injector.sql("account", "CREATE TABLE account.extra (x int)")
    await kit.injector.sql("account", "REVOKE INSERT ON account.audit_logs FROM account")
    drift = await kit.data.drift()
    assert any("column account.extra.x" in d and "new" in d for d in drift)
    assert any("account.audit_logs account INSERT" in d and "gone" in d for d in drift)
    await kit.injector.sql("account", "DROP TABLE account.extra")
    await kit.injector.sql("account", "GRANT INSERT ON account.audit_logs TO account")
    assert await kit.data.drift() == []


async def test_renamed_columns_and_grants_are_put_back_and_other_drift_is_left(kit: CellEquipment) -> None:
    await kit.injector.sql("account", "ALTER TABLE account.audit_logs RENAME COLUMN metadata_json TO metadata")
    await kit.injector.sql("account", "REVOKE INSERT ON account.audit_logs FROM account")
    await kit.injector.sql("account", "GRANT DELETE ON account.users TO oncall")
    await kit.injector.sql("account", "CREATE TABLE account.extra (x int)")
    done = await kit.data.restore()
    assert len(done) == 3, done
    drift = await kit.data.drift()
    assert drift, "a table that came is no matter of names and grants"
    assert all("account.extra" in d for d in drift), drift
    await kit.injector.sql("account", "DROP TABLE account.extra")
    assert await kit.data.drift() == []
    assert await kit.data.restore() == []
