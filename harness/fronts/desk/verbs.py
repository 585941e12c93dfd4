"""The verbs that change something. Each is one verb of the Operator's port."""

from collections.abc import Sequence

from harness.fronts.desk.desk import Desk, Told, Verb
from harness.model.errors import ActFailed, CatalogueError, Happened, UsageError
from harness.model.values import Change

CHANGES = "changes"
SHOWN_ROWS = 100


def _number(desk: Desk, text: str, what: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise UsageError(desk.say(what, given=text))
    return int(text)


def _service(desk: Desk, name: str) -> str:
    services = desk.equipment.cell.topology.services
    if name not in services:
        raise UsageError(desk.say("no_service", name=name, names=", ".join(services)))
    return name


async def restart(desk: Desk, args: Sequence[str]) -> Told:
    """Restart a service."""
    service = _service(desk, args[0])
    await desk.equipment.operator.restart(service)
    return Told(desk.say("restarted", name=service))


async def route(desk: Desk, args: Sequence[str]) -> Told:
    """Set a route back."""
    try:
        await desk.equipment.operator.restore_route(args[0])
    except CatalogueError as error:
        raise ActFailed(str(error), happened=Happened.NO) from None
    return Told(desk.say("route_back", name=args[0]))


async def set_(desk: Desk, args: Sequence[str]) -> Told:
    """Give a setting another value; without one it is unset."""
    value = args[2] if len(args) > 2 else None
    await desk.equipment.operator.set_setting(_service(desk, args[0]), args[1], value)
    return Told(desk.say("unset" if value is None else "set", name=args[1], service=args[0], value=value))


async def rollback(desk: Desk, args: Sequence[str]) -> Told:
    """Take the newest change of a setting or release back."""
    what = args[1] if len(args) > 1 else "setting"
    if what not in {"setting", "release"}:
        raise UsageError(desk.say("rolled_back_what", given=what))
    operator = desk.equipment.operator
    service = _service(desk, args[0])
    change = await (operator.rollback_setting(service) if what == "setting" else operator.rollback_release(service))
    return Told(desk.say("taken_back", change=_change(change)), {"revision": change.revision, "what": change.what})


def _change(change: Change) -> str:
    return f"#{change.revision} {change.kind} {change.target} {change.what}".rstrip()


async def deploy(desk: Desk, args: Sequence[str]) -> Told:
    """Put a shipped release in place."""
    await desk.equipment.operator.deploy(_service(desk, args[0]), args[1])
    return Told(desk.say("runs", name=args[0], version=args[1]))


async def scale(desk: Desk, args: Sequence[str]) -> Told:
    """Run so many instances."""
    count = _number(desk, args[1], "instances_number")
    if not 1 <= count <= 8:
        raise UsageError(desk.say("instances_between", given=count))
    await desk.equipment.operator.scale(_service(desk, args[0]), count)
    return Told(desk.say("instances", name=args[0], n=count))


async def job(desk: Desk, args: Sequence[str]) -> Told:
    """Start, slow down or stop a job."""
    what, name, *rest = args
    operator = desk.equipment.operator
    if name not in desk.equipment.cell.topology.jobs:
        raise UsageError(desk.say("no_job", name=name, names=", ".join(desk.equipment.cell.topology.jobs)))
    if what == "start":
        pairs = [pair.partition("=") for pair in rest]
        if bad := [k for k, mark, _ in pairs if not mark]:
            raise UsageError(desk.say("job_settings", given=bad[0]))
        await operator.start_job(name, {k: v for k, _, v in pairs})
        return Told(desk.say("job_started", name=name))
    if what == "stop":
        await operator.stop_job(name)
        return Told(desk.say("job_stopped", name=name))
    if what != "slow" or len(rest) != 1:
        raise UsageError(desk.say("it_is_job"))
    try:
        rate_hz = float(rest[0])
    except ValueError:
        raise UsageError(desk.say("pace", given=rest[0])) from None
    if not 0 < rate_hz < 10_000:
        raise UsageError(desk.say("pace_between", given=rest[0]))
    await operator.slow_job(name, rate_hz)
    return Told(desk.say("job_slowed", name=name, rate=f"{rate_hz:g}"))


async def end_session(desk: Desk, args: Sequence[str]) -> Told:
    """End a database session."""
    await desk.equipment.operator.end_session(_number(desk, args[0], "session_number"))
    return Told(desk.say("session_ended", name=args[0]))


async def end_client(desk: Desk, args: Sequence[str]) -> Told:
    """Disconnect a client of Redis."""
    await desk.equipment.operator.end_redis_client(str(_number(desk, args[0], "client_number")))
    return Told(desk.say("client_ended", name=args[0]))


async def sql(desk: Desk, args: Sequence[str]) -> Told:
    """Run SQL under on-call's limited role."""
    rows = await desk.equipment.operator.sql(" ".join(args))
    shown = [[None if v is None else str(v) for v in row] for row in rows[:SHOWN_ROWS]]
    lines = ["  ".join("-" if v is None else v for v in row) for row in shown]
    more = [desk.say("more_rows", n=len(rows) - SHOWN_ROWS)] if len(rows) > SHOWN_ROWS else []
    return Told("\n".join([*lines, *more]) or desk.say("no_rows"), shown)


async def redis(desk: Desk, args: Sequence[str]) -> Told:
    """Run a Redis command under on-call's account."""
    found = await desk.equipment.operator.redis(*args)
    items = [str(x) for x in found[:SHOWN_ROWS]] if isinstance(found, list) else [str(found)]
    return Told("\n".join(items) or desk.say("nothing"), items)


async def tool(desk: Desk, args: Sequence[str]) -> Told:
    """Run one of the stack's tools; without a name, list them."""
    tools = desk.equipment.cell.topology.tools
    if args[0] not in tools:
        raise UsageError(desk.say("no_tool", name=args[0], names=", ".join(tools) or desk.say("none")))
    told = dict(await desk.equipment.operator.run_tool(*args))
    return Told("; ".join(f"{k} {v}" for k, v in told.items()) or desk.say("done"), told)


VERBS = [
    Verb("restart", CHANGES, "SERVICE", restart, 1, 1, changes=True),
    Verb("route", CHANGES, "CLIENT->SERVER", route, 1, 1, changes=True),
    Verb("set", CHANGES, "SERVICE NAME [VALUE]", set_, 2, 3, changes=True),
    Verb("rollback", CHANGES, "SERVICE [setting|release]", rollback, 1, 2, changes=True),
    Verb("deploy", CHANGES, "SERVICE VERSION", deploy, 2, 2, changes=True),
    Verb("scale", CHANGES, "SERVICE N", scale, 2, 2, changes=True),
    Verb("job", CHANGES, "start|slow|stop NAME ...", job, 2, None, changes=True),
    Verb("end-session", CHANGES, "PID", end_session, 1, 1, changes=True),
    Verb("end-client", CHANGES, "ID", end_client, 1, 1, changes=True),
    Verb("sql", CHANGES, "STATEMENT", sql, 1, None, changes=True),
    Verb("redis", CHANGES, "COMMAND ...", redis, 1, None, changes=True),
    Verb("tool", CHANGES, "NAME [ARG ...]", tool, 1, None, changes=True),
]
