"""Healing: an idempotent reconcile of a cell to its baseline, after which its data is reset.

The baseline manifest is what the topology and the cell's spec say: links, settings, releases, instances, running parts,
no jobs; schema, grants, streams and consumers as they were when the cell was new.
"""

from harness.model.errors import ActFailed, CellError
from harness.model.runtime import Cell, Equipment
from harness.model.values import PartStatus

READY_S = 30.0
"""How long a healed cell may take to be ready; services start in less than a second each."""


async def reconcile(equipment: Equipment) -> list[str]:
    """Bring a cell back to its baseline and empty its data; gives what had to be done, one line each.

    Raises CellError when the cell cannot be shown clean.
    """
    cell = equipment.cell
    done: list[str] = []
    await equipment.release_faults()
    for job in cell.jobs():
        await cell.stop_job(job)
        done.append(f"stopped the job {job}")
    done += await _heal_links(equipment)
    restart = _configure_back(cell, done)
    for service in cell.topology.services:
        if cell.instances(service) != 1:
            await cell.scale(service, 1)
            done.append(f"scaled {service} back to 1")
    for state in cell.states():
        if state.status is not PartStatus.RUNNING and state.name not in restart:
            restart.append(state.name)
    for name in restart:
        await cell.restart(name)
        done.append(f"restarted {name}")
    await cell.ready(timeout_s=READY_S)
    done += await equipment.data.restore()
    await equipment.data.reset()
    await _show_clean(equipment)
    return done


async def _heal_links(equipment: Equipment) -> list[str]:
    done = []
    try:
        for link, state in (await equipment.links.states()).items():
            if not state.enabled or state.toxics or state.upstream != equipment.cell.upstream(link):
                await equipment.links.heal(link)
                done.append(f"healed {link}")
    except ActFailed as error:
        await equipment.links.replace()
        done.append(f"replaced Toxiproxy ({error})")
    return done


def _configure_back(cell: Cell, done: list[str]) -> list[str]:
    """Put settings and releases back in place; gives the services that need a restart for it."""
    changed = []
    for service, known in cell.topology.services.items():
        wanted, found = cell.spec.baseline(cell.topology, service), cell.settings(service)
        names = [name for name in sorted(wanted.keys() | found.keys()) if wanted.get(name) != found.get(name)]
        for name in names:
            cell.configure(service, name, wanted.get(name))
            done.append(f"put {name} of {service} back")
        other = cell.release(service) != known.release
        if other:
            cell.deploy(service, known.release)
            done.append(f"put {service} {known.release} back")
        if names or other:
            changed.append(service)
    return changed


async def _show_clean(equipment: Equipment) -> None:
    cell = equipment.cell
    for link, state in (await equipment.links.states()).items():
        if not state.enabled or state.toxics:
            raise CellError(f"{link} is not healthy after healing; the cell is thrown away")
    down = [s.name for s in cell.states() if s.status is not PartStatus.RUNNING]
    if down:
        raise CellError(f"{', '.join(down)} did not stay up after healing; see the logs in {cell.spec.folder}")
    drift = await equipment.data.drift()
    if drift:
        raise CellError(f"the cell differs from its baseline: {'; '.join(drift)}")
