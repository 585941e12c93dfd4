"""Sign-ups come in herds, each of several calls for the same new identity, while the database is a little slow.

Symptom   unique violations and resolve's p95 rise.
Response  level the traffic at its entry: slow the import down; it goes on.
Recovery  resolve's p95 is near its objective, its 5xx are gone, every identity has one user.
Apart     unique violations; lock waits alone do not tell it from a blocked table.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import RunawayJob, Slow, Together
from harness.model.ports import Operator
from harness.model.scenario import HOLD, Limit, Scenario, step
from harness.model.span import setting
from scenarios.probes import account, entitlement
from scenarios.steps import restart_matchmaking
from scenarios.workloads.grants import Grants
from scenarios.workloads.people import People

ACQUIRE_S = setting("account.database.acquire-timeout")
OBJECTIVE_S = 0.25
FEW = {("account", "account.database.pool-size"): "3"}
"""So few connections are used up by the delay of the database alone, however quick or slow the machine is: a sign-up
holds one for about eleven answers, which makes 45 in a second at most; the import keeps up to 30 waiting. Slowed down,
all calls of a herd have one at once and take a tenth of a second: far from the objective on a slow machine too."""


@step("Slow the sign-up import down")
async def slow_import(operator: Operator) -> None:
    """It goes on, at a pace that account bears."""
    await operator.slow_job("signup-import", 1.5)


SCENARIO = Scenario(
    id="FM-ACC-01",
    title="Identities under contention",
    sections=("5.5",),
    workload=(People(rate_hz=8), Grants(rate_hz=3)),
    fault=Together(
        (
            Slow("account->postgres", latency_ms=6, jitter_ms=1),
            RunawayJob("signup-import", {"JOB_RATE_HZ": "16", "IMPORT_HERD": "3", "IMPORT_CALLS": "30"}),
        )
    ),
    symptom=eventually(
        account.conflicts.at_least(10),
        account.resolve_p95_s.above(OBJECTIVE_S * 1.6),
        within_s=ACQUIRE_S + 8.0,
    ),
    hold_s=ACQUIRE_S + 2.0,
    response=(slow_import,),
    recovery=eventually(
        account.resolve_p95_s.below(OBJECTIVE_S * 1.2),
        account.resolve_5xx.equals(0),
        account.identities_with_several_users.equals(0),
        account.imported_users.at_least(1),
        within_s=ACQUIRE_S + 10.0,
        hold_s=1.5,
    ),
    unaffected=always(
        entitlement.command_accepted_ratio.at_least(0.99), account.identities_with_several_users.equals(0)
    ),
    placebo=restart_matchmaking,
    settings=FEW,
    limits=(Limit("whoever waited for a connection has given up within the hold", ACQUIRE_S, HOLD),),
)
