"""The docker runtime for tests; skipped in one line where no engine answers, unless one is asked for."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from harness.drivers.acts import Act
from harness.drivers.clock import SystemClock
from harness.drivers.docker import DockerRuntime
from harness.drivers.docker_engine import Engine, EngineError
from harness.drivers.equipment import CellEquipment
from harness.engine.reconcile import reconcile
from harness.model.runtime import CellSpec
from tests.catalogue.real_run import TOPOLOGY


def engine() -> Engine:
    """An engine, or a skip that says why."""
    try:
        return Engine.connect()
    except EngineError as error:
        if os.environ.get("GAMEDAY_NEED_ENGINE"):
            pytest.fail(f"container tests must run here: {error}")
        pytest.skip(f"container tests: {error}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def docker_runtime(tmp_path_factory: Any) -> AsyncIterator[DockerRuntime]:
    """The docker runtime, with Keycloak on its way."""
    made = DockerRuntime(TOPOLOGY, Path(tmp_path_factory.mktemp("logs")), engine())
    try:
        await made.open()
        made.want("keycloak")
        yield made
    finally:
        await made.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def session_docker_kit(docker_runtime: DockerRuntime, tmp_path_factory: Any) -> AsyncIterator[CellEquipment]:
    """The equipment of one cell of containers."""
    cell = await docker_runtime.cell(CellSpec("kit", "ci", Path(tmp_path_factory.mktemp("logs")) / "kit"))
    await cell.ready(timeout_s=120)
    acts: list[Act] = []
    made = CellEquipment(cell, SystemClock(), acts.append)
    await made.data.take_baseline()
    yield made
    await made.close()
    await cell.close()


@pytest_asyncio.fixture(loop_scope="session")
async def docker_kit(session_docker_kit: CellEquipment) -> AsyncIterator[CellEquipment]:
    """The cell as new; healed afterwards, and seen to be."""
    await session_docker_kit.begin_scenario()
    yield session_docker_kit
    await reconcile(session_docker_kit)
    assert await reconcile(session_docker_kit) == []
