"""The outbox cannot publish, so its backlog grows.

Symptom   rows stay PENDING or IN_FLIGHT and age, attempts rise; grants are still accepted.
Response  a reconnect loop: set the route to NATS back; restart the relay if the backlog does not fall.
Recovery  every row of the cohort PUBLISHED, none FAILED, publish delay within its objective.
Trap      a row that failed too often turns FAILED and leaves the backlog, whose age then reads healthy.
"""

from harness.model.criteria import always, eventually
from harness.model.faults import ChangedSetting, Cut
from harness.model.ports import Observer, Operator
from harness.model.scenario import HOLD, UNTIL_RESPONDED, Limit, Scenario, Variant, step
from harness.model.span import retries_last, scaled, setting
from scenarios.probes import entitlement
from scenarios.workloads.grants import Grants

OUTBOX = "entitlement.outbox"
LONGEST_RETRY_S = setting(f"{OUTBOX}.backoff-max") * 1.5 + setting(f"{OUTBOX}.publish-timeout") * 2


WRONG = "nats://entitlement:not-it@{entitlement->nats.host}:{entitlement->nats.port}"


async def runs_with_wrong_credentials(observer: Observer) -> bool:
    """What entitlement was given at its last start."""
    return ":not-it@" in (observer.setting("entitlement", "NATS_URL") or "")


@step("Set entitlement's route to NATS back")
async def restore_route(operator: Operator) -> None:
    """A connection that comes and goes: the way to the broker first."""
    await operator.restore_route("entitlement->nats")


@step("Take back the newest change of entitlement's settings: its credentials for NATS")
async def restore_credentials(operator: Operator) -> None:
    """A connection that is refused: what it logs in with."""
    await operator.rollback_setting("entitlement")


@step(
    "Restart the relay if the backlog does not fall",
    unless=eventually(
        entitlement.cohort_unpublished_rows.falls(window_s=1.0),
        within_s=setting(f"{OUTBOX}.backoff-max") * 1.5 + 2.0,
    ),
)
async def restart_relay(operator: Operator) -> None:
    """The relay lives in entitlement."""
    await operator.restart("entitlement")


@step("Restart matchmaking, which has nothing to do with it")
async def restart_matchmaking(operator: Operator) -> None:
    """The placebo."""
    await operator.restart("matchmaking")


SCENARIO = Scenario(
    id="FM-OB-01",
    title="The outbox does not publish",
    sections=("5.6",),
    workload=(Grants(rate_hz=5),),
    fault=Cut("entitlement->nats"),
    symptom=eventually(
        entitlement.outbox_age_s.above(scaled(10)),
        entitlement.outbox_attempts_max.at_least(2),
        within_s=scaled(20) + 4.0,
    ),
    hold_s=LONGEST_RETRY_S + 0.5,
    response=(restore_route, restart_relay),
    recovery=eventually(
        entitlement.cohort_unpublished_rows.equals(0),
        entitlement.outbox_failed_rows.equals(0),
        entitlement.publish_delay_p95_s.below(scaled(5)),
        within_s=LONGEST_RETRY_S + 6.0,
        hold_s=1.0,
    ),
    unaffected=always(entitlement.command_accepted_ratio.at_least(0.99)),
    placebo=restart_matchmaking,
    limits=(
        Limit("nothing retries by itself later than the hold", LONGEST_RETRY_S, HOLD),
        Limit("no row is FAILED before the response is done", UNTIL_RESPONDED, retries_last(OUTBOX, jitter=0.5)),
    ),
    settings={("entitlement", f"{OUTBOX}.max-attempts"): "60"},
    variants=(
        Variant("black-hole", {"fault": Cut("entitlement->nats", black_hole=True)}),
        Variant(
            "credentials",
            {
                "fault": ChangedSetting("entitlement", "NATS_URL", WRONG, effect=runs_with_wrong_credentials),
                "response": (restore_credentials, restart_relay),
            },
        ),
    ),
)
