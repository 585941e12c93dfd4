"""What this system adds to the operator's desk and to drills: short words, everyday traffic, patience, decoys."""

from scenarios.workloads.grants import Grants
from scenarios.workloads.joins import Joins
from scenarios.workloads.login import Logins
from scenarios.workloads.people import People

ALIASES = {
    "redrive": ("tool", "redrive-notifications"),
    "republish": ("tool", "republish-matches"),
}

TRAFFIC = (People(rate_hz=4), Grants(rate_hz=4), Joins(rate_hz=3), Logins(rate_hz=1))
"""The same in every drill, so that what people do does not tell what is broken."""

PATIENCE = {
    ("entitlement", "entitlement.outbox.max-attempts"): "2000",
    ("notification", "notification.delivery.max-attempts"): "2000",
    ("notification", "notification.nats.max-deliver"): "2000",
}
"""With the retries of the ci profile, rows would fail for good after a minute: before a person has read the page."""

DECOYS = (
    ("gateway-bff", "gateway.client.read-timeout", "1100ms"),
    ("account", "account.database.pool-size", "12"),
    ("entitlement", "entitlement.outbox.batch-size", "60"),
    ("matchmaking", "matchmaking.batch", "60"),
    ("notification", "notification.delivery.parallelism", "22"),
)
