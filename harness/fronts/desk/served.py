"""The desk of a stack that is up: served by its keeper over a socket in the state folder, everything done in a journal."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from harness.drivers.clock import SystemClock
from harness.drivers.folders import state_folder
from harness.drivers.lines import LineServer
from harness.fronts.catalogue import load_catalogue
from harness.fronts.desk import verbs, views
from harness.fronts.desk.desk import Desk, Verb
from harness.fronts.desk.extras import Extras, extras_of
from harness.fronts.desk.sight import OwnSight
from harness.fronts.wiring import equip
from harness.model.alerts import Policy
from harness.model.errors import CatalogueError
from harness.model.events import Acted
from harness.model.runtime import Cell
from harness.model.scenario import Catalogue
from harness.report.journal import Journal
from harness.slo.policy import policy_of

ALL: dict[str, Verb] = {v.name: v for v in (*views.VERBS, *verbs.VERBS)}


def socket_of(name: str) -> Path:
    """Where the desk of a stack, or of a drill, is asked."""
    return state_folder() / "desks" / f"{name}.sock"


def policy_for(catalogue: Catalogue, cell: Cell) -> Policy | None:
    """The alert policy with the numbers of a cell; None when the catalogue has none."""
    if not catalogue.alerts and not catalogue.slis:
        return None
    numbers = cell.topology.numbers(cell.spec.profile)
    return policy_of(catalogue.series, catalogue.slis, catalogue.alerts, numbers)


@contextlib.asynccontextmanager
async def served(cell: Cell, name: str, package: str, journal_folder: Path) -> AsyncIterator[Desk]:
    """The desk of a cell, asked over its socket for as long as this lasts."""
    try:
        catalogue = load_catalogue(package, cell.topology)
        extras = extras_of(package, cell.topology)
    except CatalogueError:
        # A stack of somebody else's may have no catalogue yet; it can be worked on all the same.
        catalogue, extras = Catalogue(package, {}, {}), Extras()
    clock = SystemClock()
    journal = Journal(journal_folder, cell.topology.secrets.values())

    def act(_verb: str, fields: dict[str, Any]) -> None:
        journal.write(Acted(clock.now_s(), None, **fields))

    equipment = equip(cell, act, clock)
    desk = Desk(equipment, catalogue, OwnSight(equipment, catalogue, policy_for(catalogue, cell)), ALL, extras)
    server = LineServer(socket_of(name), desk.handle)
    await server.begin()
    try:
        yield desk
    finally:
        await server.end()
        await equipment.close()
        journal.close()
