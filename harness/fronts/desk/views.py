"""The views: what a person on call can look at. None of them changes anything, and none shows a proxy's own state."""

import asyncio
import math
from collections.abc import Sequence

from harness.fronts.desk.desk import Desk, Told, Verb
from harness.model.errors import Unreadable, UsageError
from harness.model.probes import CohortProbe, Probe
from harness.model.scenario import Section
from harness.model.slis import plain

VIEWS = "views"
READ_S = 2.0
WINDOW_S = 10.0
"""The stretch that the dashboard shows."""

LINES = 20
WIDTH = 79


async def help_(desk: Desk, _args: Sequence[str]) -> Told:
    """Every verb."""
    lines: list[str] = []
    for group in dict.fromkeys(v.group for v in desk.verbs.values()):
        lines.append(f"{group}:")
        for verb in (v for v in desk.verbs.values() if v.group == group):
            head = f"  {verb.name} {verb.usage}".rstrip()
            lines += [f"{head:<34} {verb.says}"] if len(head) < 34 else [head, f"{'':<34} {verb.says}"]
    for alias, words in desk.extras.aliases.items():
        lines.append(f"  {alias:<32} the same as: {' '.join(words)}")
    return Told("\n".join(lines), [v.name for v in desk.verbs.values()])


async def status(desk: Desk, _args: Sequence[str]) -> Told:
    """The state of every part and service."""
    topology = desk.equipment.cell.topology
    rows = [
        {"name": s.name, "status": s.status.value, "release": s.release or ""}
        for s in await desk.equipment.observer.states()
        if s.name.partition("#")[0] in {*topology.parts, *topology.services}
    ]
    return Told("\n".join(f"{r['name']:<18} {r['status']:<9} {r['release']}".rstrip() for r in rows), rows)


async def alerts(desk: Desk, _args: Sequence[str]) -> Told:
    """What has fired, oldest first, and what fires now."""
    await desk.sight.look()
    policy, samples = desk.sight.policy, desk.sight.samples
    now = [a.name for a in policy.alerts if policy.fires(a, samples)] if policy and samples else []
    now_s = desk.equipment.clock.now_s()
    lines = [f"{now_s - e.t:5.0f} s ago  {e.alert_kind:<6} {e.name}" for e in desk.sight.fired]
    lines += [f"{'now':>9}  fires  {name}" for name in now]
    data = {"fired": [{"name": e.name, "kind": e.alert_kind, "ago_s": now_s - e.t} for e in desk.sight.fired]}
    return Told("\n".join(lines) or "No alert has fired.", {**data, "now": now})


async def dashboard(desk: Desk, _args: Sequence[str]) -> Told:
    """The indicators over the last stretch."""
    await desk.sight.look()
    policy, samples = desk.sight.policy, desk.sight.samples
    if policy is None or not samples:
        return Told("There are no figures yet.", [])
    now_s = samples[-1].at_s
    lines = [f"over the last {min(WINDOW_S, now_s - samples[0].at_s):.0f} s", ""]
    data = []
    for m in policy.measure(samples, max(now_s - WINDOW_S, samples[0].at_s), now_s):
        mark = {"held": " ", "broken": "!"}.get(m.verdict, "?")
        value = "-" if m.value is None else f"{m.value:.4g}"
        lines.append(f"{mark} {m.sli.name:<36} {value:>8} {m.sli.unit:<6} objective {plain(m.sli.objective):g}")
        data.append({"name": m.sli.name, "value": m.value, "unit": m.sli.unit, "verdict": m.verdict})
    return Told("\n".join(lines), data)


async def logs(desk: Desk, args: Sequence[str]) -> Told:
    """The newest log lines of a service."""
    topology = desk.equipment.cell.topology
    if args[0] not in topology.services and args[0] not in topology.parts:
        raise UsageError(f"there is no log of {args[0]}; there are {', '.join([*topology.services, *topology.parts])}")
    found = await desk.equipment.operator.log_lines(args[0], " ".join(args[1:]))
    return Told("\n".join(found[-LINES:]) or "No such line.", found)


async def changes(desk: Desk, _args: Sequence[str]) -> Told:
    """The change history, oldest first."""
    topology = desk.equipment.cell.topology
    secret = {(s.owner, s.name) for s in topology.settings if s.secret}
    now_s = desk.equipment.clock.now_s()
    rows = []
    for c in desk.equipment.operator.changes():
        hidden = (c.target, c.what) in secret
        old, new = ("***", "***") if hidden else (c.old, c.new)
        rows.append(
            {"revision": c.revision, "ago_s": round(now_s - c.at_s, 1), "kind": c.kind, "target": c.target}
            | {"what": c.what, "old": old, "new": new}
        )
    lines = [
        f"#{r['revision']:<3} {r['ago_s']:>6.0f} s ago  {r['kind']:<8} {r['target']} {r['what']}: {r['old']} -> {r['new']}"
        for r in rows
    ]
    return Told("\n".join(lines) or "Nothing was changed.", rows)


async def checks(desk: Desk, args: Sequence[str]) -> Told:
    """The sections of the runbook, or the checks of one with what they show now."""
    sections = desk.catalogue.sections
    if not args:
        rows = [{"section": s.key, "title": s.title} for s in sections.values()]
        return Told("\n".join(f"{s.key:<6} {s.title}" for s in sections.values()), rows)
    if args[0] not in sections:
        raise UsageError(f"there is no section {args[0]}; there are {', '.join(sections)}")
    await desk.sight.look()
    return await _checked(desk, sections[args[0]])


async def _checked(desk: Desk, section: Section) -> Told:
    lines, data = [f"{section.key} {section.title}"], []
    for check in section.checks:
        values = dict(
            zip(
                (p.name for p in check.probes),
                await asyncio.gather(*(_read(desk, p) for p in check.probes)),
                strict=True,
            )
        )
        lines.append(f"{check.key}  {check.title}")
        lines += [f"  {name:<44} {'-' if v is None else f'{v:.4g}':>10}" for name, v in values.items()]
        data.append({"key": check.key, "title": check.title, "values": values})
    return Told("\n".join(lines), data, tuple(c.key for c in section.checks))


async def _read(desk: Desk, probe: Probe) -> float | None:
    if isinstance(probe, CohortProbe):
        return None
    try:
        async with asyncio.timeout(READ_S):
            value = await probe.read(desk.equipment.observer)
    except (Unreadable, TimeoutError):
        return None
    return value if value is None or math.isfinite(value) else None


async def settings(desk: Desk, args: Sequence[str]) -> Told:
    """The settings in effect."""
    cell = desk.equipment.cell
    if args[0] not in cell.topology.services:
        raise UsageError(f"there is no service {args[0]}; the services are {', '.join(cell.topology.services)}")
    secret = {s.name for s in cell.topology.settings if s.owner == args[0] and s.secret}
    found = {name: "***" if name in secret else value for name, value in sorted(cell.settings(args[0]).items())}
    return Told("\n".join(f"{name} = {value}" for name, value in found.items()), found)


async def routes(desk: Desk, args: Sequence[str]) -> Told:
    """The routes there are, or whether a server answers over one of them."""
    links = desk.equipment.cell.topology.links
    if not args:
        return Told("\n".join(links), list(links))
    if args[0] not in links:
        raise UsageError(f"there is no route {args[0]}; see: routes")
    pong = await desk.equipment.observer.reach(args[0])
    took = "" if pong.rtt_ms is None else f" in {pong.rtt_ms:.0f} ms"
    return Told(f"{args[0]}: {pong.says}{took}", {"answered": pong.answered, "rtt_ms": pong.rtt_ms})


async def jobs(desk: Desk, _args: Sequence[str]) -> Told:
    """The jobs there are, and which run."""
    running = await desk.equipment.operator.jobs()
    rows = {name: name in running for name in desk.equipment.cell.topology.jobs}
    return Told("\n".join(f"{n:<24} {'runs' if r else 'does not run'}" for n, r in rows.items()), rows)


async def tools(desk: Desk, _args: Sequence[str]) -> Told:
    """The repair tools there are."""
    names = list(desk.equipment.cell.topology.tools)
    return Told("\n".join(names) or "The stack ships none.", names)


async def releases(desk: Desk, args: Sequence[str]) -> Told:
    """The shipped releases of a service."""
    cell = desk.equipment.cell
    if args[0] not in cell.topology.services:
        raise UsageError(f"there is no service {args[0]}; the services are {', '.join(cell.topology.services)}")
    service, runs = cell.topology.services[args[0]], cell.release(args[0])
    versions = [service.release, *service.releases]
    return Told("\n".join(f"{v}{'  in place' if v == runs else ''}" for v in versions), versions)


async def sessions(desk: Desk, _args: Sequence[str]) -> Told:
    """The sessions of the database."""
    found = [dict(s) for s in await desk.equipment.operator.sessions()]
    lines = [
        f"{s['pid']:>7} {s['user']!s:<13} {s['state']!s:<20} {float(s['age_s'] or 0):>6.1f} s "
        f"{s['waiting_for'] or '-'!s:<6} {' '.join(str(s['query'] or '').split())}"[:WIDTH]
        for s in found
    ]
    return Told("\n".join(lines) or "No session.", found)


async def clients(desk: Desk, _args: Sequence[str]) -> Told:
    """The clients of Redis."""
    found = [dict(c) for c in await desk.equipment.operator.redis_clients()]
    lines = [
        f"{c.get('id', ''):>6} {c.get('addr', ''):<22} idle {c.get('idle', '')} s  {c.get('cmd', '')}" for c in found
    ]
    return Told("\n".join(lines) or "No client.", found)


VERBS = [
    Verb("help", VIEWS, "", "this list", help_),
    Verb("status", VIEWS, "", "parts and services, as the machine sees them", status),
    Verb("alerts", VIEWS, "", "what has fired, and what fires now", alerts),
    Verb("dashboard", VIEWS, "", "the indicators against their objectives", dashboard),
    Verb("checks", VIEWS, "[SECTION]", "the runbook's sections; the checks of one", checks, 0, 1),
    Verb("logs", VIEWS, "NAME [TEXT]", "the newest log lines with a text", logs, 1, None),
    Verb("changes", VIEWS, "", "the change history", changes),
    Verb("settings", VIEWS, "SERVICE", "the settings in effect", settings, 1, 1),
    Verb("releases", VIEWS, "SERVICE", "the shipped releases", releases, 1, 1),
    Verb("routes", VIEWS, "[CLIENT->SERVER]", "the routes; ask over one of them", routes, 0, 1),
    Verb("jobs", VIEWS, "", "the jobs, and which run", jobs),
    Verb("tools", VIEWS, "", "the repair tools", tools),
    Verb("sessions", VIEWS, "", "the sessions of the database", sessions),
    Verb("clients", VIEWS, "", "the clients of Redis", clients),
]
