"""Steps that several scenarios share: placebos, and acts that are the same whatever failed."""

from harness.model.ports import Operator
from harness.model.scenario import step

IDLE_S = 2.0
"""A session that has sat idle in a transaction for longer than this belongs to no request."""


@step("Restart matchmaking, which has nothing to do with it")
async def restart_matchmaking(operator: Operator) -> None:
    """A placebo."""
    await operator.restart("matchmaking")


@step("Restart notification, which has nothing to do with it")
async def restart_notification(operator: Operator) -> None:
    """A placebo."""
    await operator.restart("notification")


@step("Restart entitlement, which has nothing to do with it")
async def restart_entitlement(operator: Operator) -> None:
    """A placebo."""
    await operator.restart("entitlement")


@step("End the sessions that others wait for")
async def end_blockers(operator: Operator) -> None:
    """Those that block and are not blocked themselves."""
    sessions = await operator.sessions()
    blocking = {pid for s in sessions for pid in s["blocked_by"]}
    for session in sessions:
        if session["pid"] in blocking and not session["blocked_by"]:
            await operator.end_session(session["pid"])


@step("End the sessions that sit idle in a transaction")
async def end_idle(operator: Operator) -> None:
    """Those that have done nothing for longer than any request lasts, all at once: there may be many."""
    await operator.sql(
        "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'"
        " AND state_change < now() - %s * interval '1 second'",
        (IDLE_S,),
    )
