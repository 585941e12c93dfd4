"""What this system adds to the operator's desk and to drills: short words, everyday traffic, patience, decoys."""

from scenarios.workloads.admins import Admins, Suspensions
from scenarios.workloads.grants import Grants
from scenarios.workloads.joins import Joins
from scenarios.workloads.login import Logins
from scenarios.workloads.suspended import PeopleAndSuspended

ALIASES = {
    "redrive": ("tool", "redrive-notifications"),
    "republish": ("tool", "republish-matches"),
}

TRAFFIC = (
    PeopleAndSuspended(rate_hz=4),
    Grants(rate_hz=10),
    Joins(rate_hz=3),
    Logins(rate_hz=1),
    Admins(rate_hz=3),
    Suspensions(rate_hz=3),
)
"""The same in every drill, so that what people do does not tell what is broken: all that any scenario sends.

People come first, so that theirs are the oldest accounts, which a clean-up meets first.
"""

PATIENCE = {
    ("entitlement", "entitlement.outbox.max-attempts"): "2000",
    ("notification", "notification.delivery.max-attempts"): "2000",
    ("notification", "notification.nats.max-deliver"): "2000",
}
"""With the retries of the ci profile, rows would fail for good after a minute: before a person has read the page."""

DECOYS = (
    ("gateway-bff", "gateway.client.read-timeout", "1100ms"),
    ("account", "account.database.statement-timeout", "2500ms"),
    ("entitlement", "entitlement.outbox.batch-size", "60"),
    ("matchmaking", "matchmaking.nats.ping-interval", "1200ms"),
    ("notification", "notification.database.pool-size", "12"),
)
"""Of settings that no scenario sets: a decoy that is left out for one scenario alone would tell of it."""
