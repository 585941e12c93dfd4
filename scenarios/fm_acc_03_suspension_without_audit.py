"""Suspensions have no audit record: the right to write it is gone, and statuses were changed around the interface.

Symptom   suspended users and audit records diverge; the suspend interface fails and changes nothing.
Response  restore the privilege; then record what the database's statement log shows and the audit lacks, only that.
Recovery  audit and users agree, and suspending works.
Apart     fewer audit records than suspensions.
"""

import re

from harness.model.criteria import always, eventually
from harness.model.faults import DataChange
from harness.model.ports import Observer, Operator
from harness.model.scenario import HOLD, Limit, Scenario, step
from harness.model.span import setting
from scenarios.probes import account, gateway
from scenarios.steps import restart_matchmaking
from scenarios.workloads.admins import SPARED, Suspensions
from scenarios.workloads.people import People

ANSWER_S = setting("gateway.client.connect-timeout") + setting("gateway.client.read-timeout")
AROUND = "UPDATE account.users SET status = 'SUSPENDED', updated_at = now() WHERE user_id IN"
"""How the statement that went around the interface begins, as the statement log has it."""

BATCH = ", ".join(f"'{user_id}'" for user_id in SPARED[:3])
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def nobody_may_write_audit(observer: Observer) -> bool:
    """Account's own role cannot write audit records any more."""
    rows = await observer.sql("SELECT has_table_privilege('account', 'account.audit_logs', 'INSERT')")
    return rows[0][0] is False


@step("Restore account's privileges on its own tables")
async def restore_privileges(operator: Operator) -> None:
    """Suspending works again from here on; the data is repaired after that."""
    await operator.run_tool("restore-privileges", "--schema", "account")


@step("Record the suspensions that the statement log shows and the audit lacks")
async def record_missing(operator: Operator) -> None:
    """Only users whom the log names, who are suspended now and whose last record does not say so."""
    named = {user_id for line in await operator.log_lines("postgres", AROUND) for user_id in UUID.findall(line)}
    await operator.sql(
        "INSERT INTO account.audit_logs (actor_user_id, action, target_user_id, metadata_json)"
        """ SELECT 'on-call', 'SUSPEND', u.user_id, '{"reason": "recorded from the statement log"}'"""
        " FROM account.users u WHERE u.user_id = ANY (%s::uuid[]) AND u.status = 'SUSPENDED'"
        " AND coalesce((SELECT a.action FROM account.audit_logs a WHERE a.target_user_id = u.user_id"
        " ORDER BY a.id DESC LIMIT 1), '') <> 'SUSPEND'",
        (sorted(named),),
    )


SCENARIO = Scenario(
    id="FM-ACC-03",
    title="A suspension without its audit record",
    sections=("5.4",),
    workload=(People(rate_hz=8), Suspensions(rate_hz=4)),
    fault=DataChange(
        "account",
        (f"{AROUND} ({BATCH})", "REVOKE INSERT ON account.audit_logs FROM account"),
        nobody_may_write_audit,
        "statuses are changed around the interface, and audit records cannot be written",
    ),
    symptom=eventually(
        # Exactly those: the interface fails and changes nothing.
        account.audit_differences.equals(3),
        account.suspension_ratio.below(0.1),
        within_s=10.0,
    ),
    hold_s=ANSWER_S * 2.0,
    response=(restore_privileges, record_missing),
    recovery=eventually(
        account.audit_differences.equals(0),
        account.suspension_ratio.at_least(0.99),
        within_s=10.0,
        hold_s=1.5,
    ),
    unaffected=always(gateway.api_5xx_share.at_most(0.02)),
    breaks=("I10",),
    placebo=restart_matchmaking,
    limits=(Limit("people have tried again within the hold", ANSWER_S, HOLD),),
)
