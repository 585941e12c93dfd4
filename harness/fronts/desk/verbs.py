"""The verbs that change something. Each is one verb of the Operator's port."""

from collections.abc import Sequence

from harness.fronts.desk.desk import Desk, Told, Verb
from harness.model.errors import ActFailed, CatalogueError, Happened, UsageError
from harness.model.values import Change

CHANGES = "changes"
SHOWN_ROWS = 100


def _number(text: str, what: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise UsageError(f"{what} is a number, not {text}")
    return int(text)


def _service(desk: Desk, name: str) -> str:
    services = desk.equipment.cell.topology.services
    if name not in services:
        raise UsageError(f"there is no service {name}; the services are {', '.join(services)}")
    return name


async def restart(desk: Desk, args: Sequence[str]) -> Told:
    """Restart a service."""
    service = _service(desk, args[0])
    await desk.equipment.operator.restart(service)
    return Told(f"{args[0]} is restarted.")


async def route(desk: Desk, args: Sequence[str]) -> Told:
    """Set a route back."""
    try:
        await desk.equipment.operator.restore_route(args[0])
    except CatalogueError as error:
        raise ActFailed(str(error), happened=Happened.NO) from None
    return Told(f"The route {args[0]} is what the topology says.")


async def set_(desk: Desk, args: Sequence[str]) -> Told:
    """Give a setting another value; without one it is unset."""
    value = args[2] if len(args) > 2 else None
    await desk.equipment.operator.set_setting(_service(desk, args[0]), args[1], value)
    return Told(f"{args[1]} of {args[0]} is {'unset' if value is None else value}, and it is restarted.")


async def rollback(desk: Desk, args: Sequence[str]) -> Told:
    """Take the newest change of a setting or release back."""
    what = args[1] if len(args) > 1 else "setting"
    if what not in {"setting", "release"}:
        raise UsageError(f"a setting or a release is rolled back, not {what}")
    operator = desk.equipment.operator
    service = _service(desk, args[0])
    change = await (operator.rollback_setting(service) if what == "setting" else operator.rollback_release(service))
    return Told(f"Taken back: {_change(change)}", {"revision": change.revision, "what": change.what})


def _change(change: Change) -> str:
    return f"#{change.revision} {change.kind} {change.target} {change.what}".rstrip()


async def deploy(desk: Desk, args: Sequence[str]) -> Told:
    """Put a shipped release in place."""
    await desk.equipment.operator.deploy(_service(desk, args[0]), args[1])
    return Told(f"{args[0]} runs {args[1]}.")


async def scale(desk: Desk, args: Sequence[str]) -> Told:
    """Run so many instances."""
    count = _number(args[1], "the number of instances")
    if not 1 <= count <= 8:
        raise UsageError(f"a service runs 1 to 8 instances, not {count}")
    await desk.equipment.operator.scale(_service(desk, args[0]), count)
    return Told(f"{args[0]} runs {count} instance{'s' if count > 1 else ''}.")


async def job(desk: Desk, args: Sequence[str]) -> Told:
    """Start, slow down or stop a job."""
    what, name, *rest = args
    operator = desk.equipment.operator
    if name not in desk.equipment.cell.topology.jobs:
        raise UsageError(f"there is no job {name}; there are {', '.join(desk.equipment.cell.topology.jobs)}")
    if what == "start":
        pairs = [pair.partition("=") for pair in rest]
        if bad := [k for k, mark, _ in pairs if not mark]:
            raise UsageError(f"a job's settings are NAME=VALUE, not {bad[0]}")
        await operator.start_job(name, {k: v for k, _, v in pairs})
        return Told(f"The job {name} is started.")
    if what == "stop":
        await operator.stop_job(name)
        return Told(f"The job {name} is stopped.")
    if what != "slow" or len(rest) != 1:
        raise UsageError("it is: job start NAME [K=V ...], job slow NAME HZ, or job stop NAME")
    try:
        rate_hz = float(rest[0])
    except ValueError:
        raise UsageError(f"a pace is a number a second, not {rest[0]}") from None
    if not 0 < rate_hz < 10_000:
        raise UsageError(f"a pace lies between 0 and 10000 a second, not {rest[0]}")
    await operator.slow_job(name, rate_hz)
    return Told(f"The job {name} goes on at {rate_hz:g} a second.")


async def end_session(desk: Desk, args: Sequence[str]) -> Told:
    """End a database session."""
    await desk.equipment.operator.end_session(_number(args[0], "the session"))
    return Told(f"The session {args[0]} is ended.")


async def end_client(desk: Desk, args: Sequence[str]) -> Told:
    """Disconnect a client of Redis."""
    await desk.equipment.operator.end_redis_client(str(_number(args[0], "the client")))
    return Told(f"The client {args[0]} is disconnected.")


async def sql(desk: Desk, args: Sequence[str]) -> Told:
    """Run SQL under on-call's limited role."""
    rows = await desk.equipment.operator.sql(" ".join(args))
    shown = [[None if v is None else str(v) for v in row] for row in rows[:SHOWN_ROWS]]
    lines = ["  ".join("-" if v is None else v for v in row) for row in shown]
    more = [f"... {len(rows) - SHOWN_ROWS} more rows"] if len(rows) > SHOWN_ROWS else []
    return Told("\n".join([*lines, *more]) or "Done; no rows.", shown)


async def redis(desk: Desk, args: Sequence[str]) -> Told:
    """Run a Redis command under on-call's account."""
    found = await desk.equipment.operator.redis(*args)
    items = [str(x) for x in found[:SHOWN_ROWS]] if isinstance(found, list) else [str(found)]
    return Told("\n".join(items) or "(nothing)", items)


async def tool(desk: Desk, args: Sequence[str]) -> Told:
    """Run one of the stack's tools; without a name, list them."""
    tools = desk.equipment.cell.topology.tools
    if args[0] not in tools:
        raise UsageError(f"there is no tool {args[0]}; there are {', '.join(tools) or 'none'}")
    told = dict(await desk.equipment.operator.run_tool(*args))
    return Told("; ".join(f"{k} {v}" for k, v in told.items()) or "Done.", told)


VERBS = [
    Verb("restart", CHANGES, "SERVICE", "restart it and wait until it is ready", restart, 1, 1, changes=True),
    Verb("route", CHANGES, "CLIENT->SERVER", "set a route back to what the topology says", route, 1, 1, changes=True),
    Verb("set", CHANGES, "SERVICE NAME [VALUE]", "give a setting a value, or unset it", set_, 2, 3, changes=True),
    Verb("rollback", CHANGES, "SERVICE [setting|release]", "take its newest change back", rollback, 1, 2, changes=True),
    Verb("deploy", CHANGES, "SERVICE VERSION", "put a shipped release in place", deploy, 2, 2, changes=True),
    Verb("scale", CHANGES, "SERVICE N", "run so many instances", scale, 2, 2, changes=True),
    Verb("job", CHANGES, "start|slow|stop NAME ...", "start, slow down or stop a job", job, 2, None, changes=True),
    Verb("end-session", CHANGES, "PID", "end a database session", end_session, 1, 1, changes=True),
    Verb("end-client", CHANGES, "ID", "disconnect a client of Redis", end_client, 1, 1, changes=True),
    Verb("sql", CHANGES, "STATEMENT", "run SQL under on-call's role", sql, 1, None, changes=True),
    Verb("redis", CHANGES, "COMMAND ...", "run a Redis command under on-call's account", redis, 1, None, changes=True),
    Verb("tool", CHANGES, "NAME [ARG ...]", "run a repair tool of the stack; see tools", tool, 1, None, changes=True),
]
