"""5.2: the API answers 502 and 504."""

from harness.model.scenario import Check, Section
from scenarios.probes import account, database, gateway

SECTION = Section(
    "5.2",
    "/v1/me and /v1/users answer 502 or 504",
    (
        Check(
            "5.2/check/1",
            "Timeouts and bad gateways towards account",
            (gateway.account_timeouts, gateway.account_bad_gateways, gateway.api_5xx_share),
        ),
        Check(
            "5.2/check/2",
            "Account's own 5xx, and the database's delay",
            (account.share_5xx, account.p95_s, database.lock_waits, database.longest_query_s),
        ),
        Check("5.2/check/3", "The way to account", (gateway.account_reachable, account.answers)),
        Check("5.2/check/4", "After a deployment: answers that break the contract", (gateway.account_invalid,)),
    ),
)
