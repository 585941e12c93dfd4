"""A clean-up suspends a wrong batch of accounts, so people who did nothing are refused.

Symptom   the share of 403 ACCOUNT_INACTIVE rises.
Response  stop the clean-up if it still runs; reinstate the wrong batch, and only that, found in the audit log by
          actor, reason and time, with a record for each.
Recovery  the share is normal, rightly suspended users are suspended still, audit and users agree.
Apart     there are as many audit records as suspensions.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import RunawayJob
from harness.model.ports import Observer, Operator
from harness.model.scenario import HOLD, Limit, Scenario, Spare, step
from harness.model.span import setting
from scenarios.probes import account, entitlement, gateway
from scenarios.workloads.grants import Grants
from scenarios.workloads.suspended import RIGHTLY_SUSPENDED, PeopleAndSuspended

ANSWER_S = setting("gateway.client.connect-timeout") + setting("gateway.client.read-timeout")
BATCH = 3
"""Half of the people."""

_WRONG = (
    "SELECT DISTINCT target_user_id FROM account.audit_logs WHERE actor_user_id = 'account-cleanup'"
    " AND action = 'SUSPEND' AND metadata_json::jsonb->>'reason' = 'unused' AND created_at > now() - interval '10 minutes'"
)


async def batch_is_suspended(observer: Observer) -> bool:
    """The accounts that the clean-up has on record are suspended."""
    rows = await observer.sql(
        f"SELECT count(*) FROM account.users WHERE status = 'SUSPENDED' AND user_id IN ({_WRONG})"
    )
    return bool(rows[0][0] >= BATCH)


@step("Stop the clean-up if it still runs", spare=Spare.SECOND_SAFETY)
async def stop_cleanup(operator: Operator) -> None:
    """What goes on suspending comes first."""
    if "account-cleanup" in await operator.jobs():
        await operator.stop_job("account-cleanup")


@step("Reinstate the accounts that the clean-up suspended, with a record for each")
async def reinstate(operator: Operator) -> None:
    """One transaction: the status and its record come together or not at all."""
    await operator.sql(
        f"WITH reinstated AS (UPDATE account.users SET status = 'ACTIVE', updated_at = now()"
        f" WHERE status = 'SUSPENDED' AND user_id IN ({_WRONG}) RETURNING user_id)"
        " INSERT INTO account.audit_logs (actor_user_id, action, target_user_id, metadata_json)"
        """ SELECT 'on-call', 'REINSTATE', user_id, '{"reason": "suspended by mistake"}' FROM reinstated"""
    )


@step("Restart matchmaking, which has nothing to do with it")
async def restart_matchmaking(operator: Operator) -> None:
    """The placebo."""
    await operator.restart("matchmaking")


SCENARIO = Scenario(
    id="FM-BFF-ACC-05",
    title="A surge of inactive accounts",
    sections=("5.4",),
    workload=(PeopleAndSuspended(rate_hz=8), Grants(rate_hz=3)),
    fault=RunawayJob("account-cleanup", {"CLEANUP_OLDER_THAN": "0s", "CLEANUP_BATCH": str(BATCH)}, batch_is_suspended),
    symptom=eventually(
        gateway.inactive_share.above(0.2),
        account.audit_differences.equals(0),
        within_s=10.0,
    ),
    hold_s=ANSWER_S * 2.0,
    response=(stop_cleanup, reinstate),
    recovery=eventually(
        gateway.inactive_share.at_most(0.01),
        account.rightly_suspended_rows.equals(RIGHTLY_SUSPENDED),
        account.wrongly_suspended_rows.equals(0),
        account.audit_differences.equals(0),
        within_s=8.0,
        hold_s=1.5,
    ),
    unaffected=always(
        entitlement.command_accepted_ratio.at_least(0.99),
        account.rightly_suspended_rows.equals(RIGHTLY_SUSPENDED),
    ),
    placebo=restart_matchmaking,
    limits=(Limit("the gateway has tried again within the hold", ANSWER_S, HOLD),),
)
