"""The alert policy of the reference system: starting thresholds; windows scale with the profile."""

from harness.model.alerts import Alert, AnyNew, CountRising, Growing, ObjectiveMissed, OverFor, RatioBelow, ShareAbove
from harness.model.span import alert_minutes, scaled
from scenarios.slis import BACKLOG_ROWS, SLIS

SHORT_S, LONG_S = alert_minutes(5), alert_minutes(60)
EVALUATED_EVERY_S = alert_minutes(1)

RISING_CODES = ("ACCOUNT_BAD_GATEWAY", "ACCOUNT_TIMEOUT", "ENTITLEMENT_BAD_GATEWAY", "ENTITLEMENT_TIMEOUT")

ALERTS: tuple[Alert, ...] = (
    RatioBelow(
        "gateway API success falling sharply", "gateway.api_good", "gateway.api_all", 0.95, SHORT_S, 20, kind="page"
    ),
    *(CountRising(f"{code} rising", f"gateway.{code.lower()}", 5, 3, SHORT_S, kind="page") for code in RISING_CODES),
    ShareAbove("resolve 5xx jumping", "account.resolve_5xx", "account.resolve_valid", 0.05, SHORT_S, 20, kind="page"),
    AnyNew("notification DLQ", "notification.dlq_rows", kind="page"),
    Growing(
        "notification backlog growing", "notification.backlog_rows", 5, EVALUATED_EVERY_S, BACKLOG_ROWS, kind="page"
    ),
    OverFor("outbox publish delay lasting", "entitlement.publish_delay_p95_s", scaled(5), SHORT_S, kind="office"),
    OverFor("outbox age lasting", "entitlement.outbox_age_p95_s", scaled(10), SHORT_S, kind="office"),
    OverFor("time-to-match lasting", "matchmaking.time_to_match_p95_s", scaled(10), SHORT_S, kind="office"),
    ShareAbove(
        "/login?error growing", "gateway.logins_failed", "gateway.logins_ended", 0.05, SHORT_S, 10, kind="office"
    ),
    *(ObjectiveMissed(f"objective missed: {sli.name}", sli, LONG_S, kind="office") for sli in SLIS),
)
