"""A cell of containers: every verb seen in its effect, and nothing left behind."""

import asyncio
import os
import subprocess
import sys
import textwrap
import threading

import pytest

from harness.drivers import readiness, turns
from harness.drivers.clock import pause_sync, wait_until
from harness.drivers.docker import DockerRuntime
from harness.drivers.docker_engine import Engine, EngineError
from harness.drivers.equipment import CellEquipment
from harness.engine.reconcile import reconcile
from harness.model.values import PartStatus
from tests.containers.real_docker import engine

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.engine, pytest.mark.timeout(300)]


@pytest.mark.parametrize("part", ["postgres", "redis", "nats", "account", "toxiproxy"])
async def test_stop_kill_freeze_and_healing(docker_kit: CellEquipment, part: str) -> None:
    (before,) = docker_kit.cell.states(part)
    await docker_kit.injector.freeze(part)
    assert docker_kit.cell.states(part)[0].status is PartStatus.FROZEN
    await docker_kit.cell.thaw(part)
    await docker_kit.injector.kill(part)
    assert docker_kit.cell.states(part)[0].status is PartStatus.STOPPED
    done = await reconcile(docker_kit)
    assert any(part in d.lower() for d in done), done
    (after,) = docker_kit.cell.states(part)
    assert after.status is PartStatus.RUNNING
    assert after.identity != before.identity


async def test_a_container_is_started_when_no_other_one_is(
    docker_kit: CellEquipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = threading.Event()

    def pause(seconds: float) -> None:
        waits.set()
        pause_sync(seconds)

    monkeypatch.setattr(turns, "pause_sync", pause)
    # One that exists is started again, one that has other settings is made: both take their turn.
    for size in (None, "3"):
        waits.clear()
        await docker_kit.cell.stop("account")
        if size is not None:
            docker_kit.cell.configure("account", "account.database.pool-size", size)
        with turns.my_turn("starting-containers"):
            starting = asyncio.create_task(docker_kit.cell.start("account"))
            assert await asyncio.to_thread(waits.wait, 30), "it did not wait"
            assert docker_kit.cell.states("account")[0].status is PartStatus.STOPPED
        await starting
        assert docker_kit.cell.states("account")[0].status is PartStatus.RUNNING


async def test_at_rest_what_is_shared_answers(docker_runtime: DockerRuntime) -> None:
    await docker_runtime.at_rest()
    part = docker_runtime.topology.parts["keycloak"]
    address, path = docker_runtime.shared_address("keycloak"), str(part.options.get("health", "/"))
    assert await readiness.answers(part.protocol, address, path)


async def test_settings_reach_the_service_and_go_back(docker_kit: CellEquipment) -> None:
    await docker_kit.injector.set_setting("account", "account.database.pool-size", "3")
    assert docker_kit.observer.setting("account", "account.database.pool-size") == "3"
    await docker_kit.operator.rollback_setting("account")
    assert docker_kit.observer.setting("account", "account.database.pool-size") == "10"


async def test_jobs_run_are_paced_and_stopped(docker_kit: CellEquipment) -> None:
    await docker_kit.injector.start_job("signup-import", {"JOB_RATE_HZ": "50", "IMPORT_HERD": "4"})

    async def users() -> bool:
        return (await docker_kit.observer.sql("SELECT count(*) FROM account.users"))[0][0] >= 5

    await wait_until(users, what="imported users", timeout_s=20)
    await docker_kit.operator.slow_job("signup-import", 1)
    assert await docker_kit.operator.jobs() == ["signup-import"]
    await docker_kit.operator.stop_job("signup-import")
    assert await docker_kit.operator.jobs() == []


async def test_tools_report_and_releases_are_deployed(docker_kit: CellEquipment) -> None:
    assert (await docker_kit.operator.run_tool("republish-matches"))["matches"] == 0
    await docker_kit.injector.deploy("account", "1.1.0")
    assert docker_kit.cell.states("account")[0].release == "1.1.0"
    await docker_kit.operator.rollback_release("account")
    assert docker_kit.cell.states("account")[0].release == "1.0.0"


async def test_instances_are_added_and_removed(docker_kit: CellEquipment) -> None:
    await docker_kit.operator.scale("notification", 2)
    assert [s.status for s in docker_kit.cell.states("notification")] == [PartStatus.RUNNING] * 2
    await docker_kit.operator.scale("notification", 1)
    assert len(docker_kit.cell.states("notification")) == 1


async def test_ports_are_published_on_this_machine_alone(
    docker_runtime: DockerRuntime, docker_kit: CellEquipment
) -> None:
    def published(client: object) -> set[str]:
        found = client.api.containers(filters={"label": f"gameday.run={docker_runtime.prefix}"})  # type: ignore[attr-defined]
        return {p["IP"] for c in found for p in c["Ports"] if "PublicPort" in p}

    assert await docker_runtime.engine.do("list ports", published) == {"127.0.0.1"}


async def test_services_run_as_nobody_in_particular(docker_runtime: DockerRuntime, docker_kit: CellEquipment) -> None:
    def users(client: object) -> set[str]:
        found = client.containers.list(filters={"label": f"gameday.run={docker_runtime.prefix}"})  # type: ignore[attr-defined]
        return {c.image.attrs["Config"]["User"] for c in found if "services" in str(c.image.tags)}

    assert await docker_runtime.engine.do("list users", users) == {"10001:10001"}


KILLED = """
    import asyncio, os, signal, sys
    from pathlib import Path
    from harness.drivers.clock import wait_until
    from harness.drivers.docker import DockerRuntime
    from harness.drivers.docker_engine import Engine
    from harness.model.runtime import CellSpec
    from tests.catalogue.real_run import TOPOLOGY

    async def main() -> None:
        runtime = DockerRuntime(TOPOLOGY, Path(sys.argv[1]), Engine.connect())
        await runtime.open()
        task = asyncio.create_task(runtime.cell(CellSpec("cell-1", "ci", Path(sys.argv[1]) / "cell-1")))

        async def begun() -> bool:
            return bool(runtime.states_now({"gameday.run": runtime.prefix}))

        await wait_until(begun, what="the first container")
        print(runtime.prefix, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(main())
"""


async def test_what_a_killed_runner_left_is_removed_and_nothing_else(
    docker_runtime: DockerRuntime, docker_kit: CellEquipment, tmp_path: object
) -> None:
    killed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    prefix = killed.stdout.strip()
    assert prefix, killed.stderr
    assert docker_runtime.states_now({"gameday.run": prefix})
    own = docker_runtime.states_now({"gameday.run": docker_runtime.prefix})
    cleaned = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "harness.fronts.cli", "cleanup"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"network {prefix}-cell-1" in cleaned.stdout
    assert docker_runtime.states_now({"gameday.run": prefix}) == {}
    assert docker_runtime.states_now({"gameday.run": docker_runtime.prefix}) == own


@pytest.mark.parametrize(
    ("host", "says"),
    [("unix:///nowhere/docker.sock", "no container engine answers at"), ("nonsense://", "cannot be used")],
)
async def test_no_engine_is_one_line(monkeypatch: pytest.MonkeyPatch, host: str, says: str) -> None:
    engine().close()
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(EngineError, match=says) as error:
        Engine.connect()
    assert "\n" not in str(error.value)
