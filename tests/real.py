"""A real cell for the tests of drivers and services: one for the whole session, reset after every test."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest_asyncio

from harness.drivers.acts import Act
from harness.drivers.clock import SystemClock
from harness.drivers.equipment import CellEquipment
from harness.drivers.process import ProcessRuntime
from harness.engine.reconcile import reconcile
from harness.fronts.catalogue import load_topology
from harness.model.runtime import CellSpec
from harness.model.topology import Topology

OPEN_ACCOUNT, DEAF_ACCOUNT = "9.9.8", "9.9.9"
"""Releases of account that only tests have."""


def topology() -> Topology:
    """The stack's own, with those releases."""
    shipped = load_topology(None)
    account = shipped.services["account"]
    planted = {OPEN_ACCOUNT: "tests.fakes.account_open", DEAF_ACCOUNT: "tests.fakes.account_deaf"}
    with_planted = replace(account, releases={**account.releases, **planted})
    return replace(shipped, services={**shipped.services, "account": with_planted})


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def runtime(tmp_path_factory: Any) -> AsyncIterator[ProcessRuntime]:
    """The process runtime, with Keycloak on its way."""
    made = ProcessRuntime(topology(), Path(tmp_path_factory.mktemp("logs")))
    await made.open()
    try:
        yield made
    finally:
        await made.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def session_kit(runtime: ProcessRuntime, tmp_path_factory: Any) -> AsyncIterator[CellEquipment]:
    """The equipment of the session's one cell."""
    runtime.want("keycloak")
    spec = CellSpec("cell-1", "ci", Path(tmp_path_factory.mktemp("logs")) / "cell-1")
    cell = await runtime.cell(spec)
    await cell.ready(timeout_s=120)
    acts: list[Act] = []
    made = CellEquipment(cell, SystemClock(), acts.append)
    made.acts = acts  # type: ignore[attr-defined]  (for tests that look at what was reported)
    await made.data.take_baseline()
    try:
        yield made
    finally:
        await made.close()
        await cell.close()


@pytest_asyncio.fixture(loop_scope="session")
async def kit(session_kit: CellEquipment) -> AsyncIterator[CellEquipment]:
    """The cell as new; whatever a test does to it is healed afterwards, and seen to be."""
    await session_kit.begin_scenario()
    yield session_kit
    await reconcile(session_kit)
    assert await reconcile(session_kit) == []
