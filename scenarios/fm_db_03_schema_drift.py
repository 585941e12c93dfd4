"""A migration was applied that the running release of account does not know.

Symptom   one interface fails with an undefined column, from the deployment on: suspensions.
Response  deploy the release that knows the schema; the schema stays. (Not in the runbook.)
Recovery  its 5xx are gone; other interfaces were never affected.
Apart     one interface alone, and the log names the column.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import DataChange
from harness.model.ports import Observer, Operator
from harness.model.scenario import HOLD, Limit, Scenario, step
from harness.model.span import setting
from scenarios.probes import account, gateway
from scenarios.steps import restart_matchmaking
from scenarios.workloads.admins import Suspensions
from scenarios.workloads.people import People

ANSWER_S = setting("gateway.client.connect-timeout") + setting("gateway.client.read-timeout")


async def column_is_renamed(observer: Observer) -> bool:
    """The schema is that of the next release."""
    rows = await observer.sql(
        "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'account'"
        " AND table_name = 'audit_logs' AND column_name = 'metadata'"
    )
    return bool(rows[0][0] == 1)


@step("Deploy the release of account that knows the schema", in_runbook=False)
async def deploy_next(operator: Operator) -> None:
    """Going back with the schema is no first response."""
    await operator.deploy("account", "1.4.0")


SCENARIO = Scenario(
    id="FM-DB-03",
    title="The schema has drifted from the release",
    sections=("5.9",),
    workload=(People(rate_hz=8), Suspensions(rate_hz=4)),
    fault=DataChange(
        "account",
        ("ALTER TABLE account.audit_logs RENAME COLUMN metadata_json TO metadata",),
        column_is_renamed,
        "the schema is ahead of the release",
    ),
    symptom=eventually(
        account.suspension_ratio.below(0.1),
        account.undefined_column_lines.at_least(2),
        gateway.api_5xx_share.at_most(0.01),
        within_s=8.0,
    ),
    hold_s=ANSWER_S * 2.0,
    response=(deploy_next,),
    recovery=eventually(
        account.suspension_ratio.at_least(0.99),
        account.undefined_column_lines.equals(0),
        within_s=10.0,
        hold_s=1.5,
    ),
    unaffected=always(gateway.users_ok_ratio.at_least(0.95)),
    placebo=restart_matchmaking,
    limits=(Limit("people have tried again within the hold", ANSWER_S, HOLD),),
)
