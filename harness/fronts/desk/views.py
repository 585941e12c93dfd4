"""The views: what a person on call can look at. None of them changes anything, and none shows a proxy's own state."""

import asyncio
import math
from collections.abc import Sequence

from harness.fronts.desk.desk import Desk, Told, Verb
from harness.model.errors import Unreadable, UsageError
from harness.model.probes import CohortProbe, Probe
from harness.model.scenario import Section
from harness.model.slis import plain
from harness.report.lang import text
from harness.report.wrapping import padded

VIEWS = "views"
READ_S = 2.0
WINDOW_S = 10.0
"""The stretch that the dashboard shows."""

LINES = 20
WIDTH = 79


async def help_(desk: Desk, args: Sequence[str]) -> Told:
    """Every verb, or one."""
    lines: list[str] = []
    lang = desk.messages.lang
    if args:
        name = desk.extras.aliases.get(args[0], args)[0]
        if name not in desk.verbs:
            raise UsageError(desk.say("no_verb", name=name))
        usage = desk.say("it_is_job") if name == "job" else f"{name} {desk.verbs[name].usage}".rstrip()
        return Told(f"{usage}\n{text(f'verb.{name}', lang)}", [name])
    for group in dict.fromkeys(v.group for v in desk.verbs.values()):
        lines.append(f"{text(f'group.{group}', lang)}:")
        for verb in (v for v in desk.verbs.values() if v.group == group):
            head, says = f"  {verb.name} {verb.usage}".rstrip(), text(f"verb.{verb.name}", lang)
            lines += [f"{head:<34} {says}"] if len(head) < 34 else [head, f"{'':<34} {says}"]
    for alias, words in desk.extras.aliases.items():
        lines.append(f"  {alias:<32} {desk.say('the_same', words=' '.join(words))}")
    return Told("\n".join(lines), [v.name for v in desk.verbs.values()])


async def status(desk: Desk, _args: Sequence[str]) -> Told:
    """The state of every part and service."""
    lang = desk.messages.lang
    topology = desk.equipment.cell.topology
    rows = [
        {"name": s.name, "status": s.status.value, "release": s.release or ""}
        for s in await desk.equipment.observer.states()
        if s.name.partition("#")[0] in {*topology.parts, *topology.services}
    ]
    says = [(r["name"], padded(text(f"status.{r['status']}", lang), 9), r["release"]) for r in rows]
    return Told("\n".join(f"{name:<18} {state} {release}".rstrip() for name, state, release in says), rows)


async def alerts(desk: Desk, _args: Sequence[str]) -> Told:
    """What has fired, oldest first, and what fires now."""
    await desk.sight.look()
    policy, samples = desk.sight.policy, desk.sight.samples
    now = [a.name for a in policy.alerts if policy.fires(a, samples)] if policy and samples else []
    now_s = desk.equipment.clock.now_s()
    say = desk.messages.alert
    lines = [f"{desk.say('ago', s=f'{now_s - e.t:5.0f}')}  {e.alert_kind:<6} {say(e.name)}" for e in desk.sight.fired]
    lines += [f"{desk.say('fires_now')}  {say(name)}" for name in now]
    data = {"fired": [{"name": e.name, "kind": e.alert_kind, "ago_s": now_s - e.t} for e in desk.sight.fired]}
    return Told("\n".join(lines) or desk.say("no_alert"), {**data, "now": now})


async def dashboard(desk: Desk, _args: Sequence[str]) -> Told:
    """The indicators over the last stretch."""
    await desk.sight.look()
    policy, samples = desk.sight.policy, desk.sight.samples
    if policy is None or not samples:
        return Told(desk.say("no_figures"), [])
    now_s = samples[-1].at_s
    lines = [desk.say("over_last", s=f"{min(WINDOW_S, now_s - samples[0].at_s):.0f}"), ""]
    data = []
    for m in policy.measure(samples, max(now_s - WINDOW_S, samples[0].at_s), now_s):
        mark = {"held": " ", "broken": "!"}.get(m.verdict, "?")
        value = "-" if m.value is None else f"{m.value:.4g}"
        lines.append(
            f"{mark} {m.sli.name:<36} {value:>8} {m.sli.unit:<6} {desk.say('objective')} {plain(m.sli.objective):g}"
        )
        data.append({"name": m.sli.name, "value": m.value, "unit": m.sli.unit, "verdict": m.verdict})
    return Told("\n".join(lines), data)


async def logs(desk: Desk, args: Sequence[str]) -> Told:
    """The newest log lines of a service."""
    topology = desk.equipment.cell.topology
    if args[0] not in topology.services and args[0] not in topology.parts:
        raise UsageError(desk.say("no_log", name=args[0], names=", ".join([*topology.services, *topology.parts])))
    found = await desk.equipment.operator.log_lines(args[0], " ".join(args[1:]))
    return Told("\n".join(found[-LINES:]) or desk.say("no_line"), found)


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
    lines = []
    for r in rows:
        ago = desk.say("ago", s=f"{r['ago_s']:>6.0f}")
        lines.append(f"#{r['revision']:<3} {ago}  {r['kind']:<8} {r['target']} {r['what']}: {r['old']} -> {r['new']}")
    return Told("\n".join(lines) or desk.say("no_change"), rows)


async def checks(desk: Desk, args: Sequence[str]) -> Told:
    """The sections of the runbook, or the checks of one with what they show now."""
    sections = desk.catalogue.sections
    if not args:
        rows = [{"section": s.key, "title": desk.messages.section(s.key, s.title)} for s in sections.values()]
        return Told("\n".join(f"{r['section']:<6} {r['title']}" for r in rows), rows)
    if args[0] not in sections:
        raise UsageError(desk.say("no_section", name=args[0], names=", ".join(sections)))
    await desk.sight.look()
    return await _checked(desk, sections[args[0]])


async def _checked(desk: Desk, section: Section) -> Told:
    lines, data = [f"{section.key} {desk.messages.section(section.key, section.title)}"], []
    for check in section.checks:
        values = dict(
            zip(
                (p.name for p in check.probes),
                await asyncio.gather(*(_read(desk, p) for p in check.probes)),
                strict=True,
            )
        )
        title = desk.messages.check(check.key, check.title)
        lines.append(f"{check.key}  {title}")
        lines += [f"  {name:<44} {'-' if v is None else f'{v:.4g}':>10}" for name, v in values.items()]
        data.append({"key": check.key, "title": title, "values": values})
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
        raise UsageError(desk.say("no_service", name=args[0], names=", ".join(cell.topology.services)))
    secret = {s.name for s in cell.topology.settings if s.owner == args[0] and s.secret}
    found = {name: "***" if name in secret else value for name, value in sorted(cell.settings(args[0]).items())}
    return Told("\n".join(f"{name} = {value}" for name, value in found.items()), found)


async def routes(desk: Desk, args: Sequence[str]) -> Told:
    """The routes there are, or whether a server answers over one of them."""
    links = desk.equipment.cell.topology.links
    if not args:
        return Told("\n".join(links), list(links))
    if args[0] not in links:
        raise UsageError(desk.say("no_route", name=args[0]))
    pong = await desk.equipment.observer.reach(args[0])
    took = pong.says if pong.rtt_ms is None else f"{pong.says} in {pong.rtt_ms:.0f} ms"
    return Told(f"{args[0]}: {desk.messages.sentence(took)}", {"answered": pong.answered, "rtt_ms": pong.rtt_ms})


async def jobs(desk: Desk, _args: Sequence[str]) -> Told:
    """The jobs there are, and which run."""
    running = await desk.equipment.operator.jobs()
    rows = {name: name in running for name in desk.equipment.cell.topology.jobs}
    return Told("\n".join(f"{n:<24} {desk.say('job_runs' if r else 'job_runs_not')}" for n, r in rows.items()), rows)


async def tools(desk: Desk, _args: Sequence[str]) -> Told:
    """The repair tools there are."""
    names = list(desk.equipment.cell.topology.tools)
    return Told("\n".join(names) or desk.say("no_tools"), names)


async def releases(desk: Desk, args: Sequence[str]) -> Told:
    """The shipped releases of a service."""
    cell = desk.equipment.cell
    if args[0] not in cell.topology.services:
        raise UsageError(desk.say("no_service", name=args[0], names=", ".join(cell.topology.services)))
    service, runs = cell.topology.services[args[0]], cell.release(args[0])
    versions = [service.release, *service.releases]
    return Told("\n".join(f"{v}  {desk.say('in_place')}" if v == runs else v for v in versions), versions)


async def sessions(desk: Desk, _args: Sequence[str]) -> Told:
    """The sessions of the database."""
    found = [dict(s) for s in await desk.equipment.operator.sessions()]
    lines = [
        f"{s['pid']:>7} {s['user']!s:<13} {s['state']!s:<20} {float(s['age_s'] or 0):>6.1f} s "
        f"{s['waiting_for'] or '-'!s:<6} {' '.join(str(s['query'] or '').split())}"[:WIDTH]
        for s in found
    ]
    return Told("\n".join(lines) or desk.say("no_session"), found)


async def clients(desk: Desk, _args: Sequence[str]) -> Told:
    """The clients of Redis."""
    found = [dict(c) for c in await desk.equipment.operator.redis_clients()]
    lines = [
        f"{c.get('id', ''):>6} {c.get('addr', ''):<22} {desk.say('idle', s=c.get('idle', ''))}  {c.get('cmd', '')}"
        for c in found
    ]
    return Told("\n".join(lines) or desk.say("no_client"), found)


VERBS = [
    Verb("help", VIEWS, "[VERB]", help_, 0, 1),
    Verb("status", VIEWS, "", status),
    Verb("alerts", VIEWS, "", alerts),
    Verb("dashboard", VIEWS, "", dashboard),
    Verb("checks", VIEWS, "[SECTION]", checks, 0, 1),
    Verb("logs", VIEWS, "NAME [TEXT]", logs, 1, None),
    Verb("changes", VIEWS, "", changes),
    Verb("settings", VIEWS, "SERVICE", settings, 1, 1),
    Verb("releases", VIEWS, "SERVICE", releases, 1, 1),
    Verb("routes", VIEWS, "[CLIENT->SERVER]", routes, 0, 1),
    Verb("jobs", VIEWS, "", jobs),
    Verb("tools", VIEWS, "", tools),
    Verb("sessions", VIEWS, "", sessions),
    Verb("clients", VIEWS, "", clients),
]
