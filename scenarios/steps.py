"""Steps that several scenarios share: placebos, and acts that are the same whatever failed."""

from dataclasses import replace

from harness.model.criteria import eventually
from harness.model.ports import Operator
from harness.model.scenario import Spare, step
from harness.model.span import setting
from scenarios.probes import account, gateway, matchmaking
from scenarios.procedures import fewer_calls_to_account

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


@step("End the client that keeps Redis busy")
async def end_runaway(operator: Operator) -> None:
    """Whoever runs scripts and is no service; services come in without an account of their own."""
    for client in await operator.redis_clients():
        if client.get("user") != "default" and client.get("cmd") == "eval":
            await operator.end_redis_client(client["id"])


@step("Publish again the matches that nobody was told of")
async def publish_again(operator: Operator) -> None:
    """Their event ids are the same, so a match that was told already has no second effect."""
    await operator.run_tool("republish-matches")


publish_again_too = replace(publish_again, spare=Spare.SECOND_SAFETY)
"""For matches that may have been told to nobody: nobody sees it, and telling twice has no second effect."""


@step(
    "Hold load back at the entry if joins do not come right",
    unless=eventually(matchmaking.join_success_ratio.at_least(0.99), within_s=5.0),
)
async def hold_back(operator: Operator) -> None:
    """Few calls at a time until Redis keeps up again."""
    await operator.set_setting("gateway-bff", "gateway.matchmaking.max-concurrent-calls", "4")


@step(
    "Limit how many calls the gateway has open to account if it does not come right",
    unless=eventually(
        gateway.api_5xx_share.at_most(0.01),
        account.p95_s.below(0.25),
        within_s=setting("account.database.statement-timeout") + 12.0,
    ),
)
async def fewer_calls(operator: Operator) -> None:
    """A second safety, for an account that is overloaded still after all the time that it was given to come right."""
    await fewer_calls_to_account(operator, 4)
