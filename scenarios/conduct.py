"""What the runbook asks of every incident, whatever failed: its rules, its stops, its conditions of completion."""

from harness.model import conduct as rules
from harness.model.conduct import Conduct, Kind, Rule

CONDUCT = Conduct(
    rules=(
        Rule("3.1/rule/1", "Availability first: nothing is repaired before service is", rules.availability_first),
        Rule("3.1/rule/2", "Data second: a repair is limited to named rows", rules.data_limited),
        Rule("3.1/rule/3", "Evidence third: saved before what would wipe it out", rules.evidence_saved),
        Rule("3.2/rule/1", "One factor at a time, with a look between", rules.one_factor_at_a_time),
        Rule("3.2/rule/2", "What can be taken back comes first", rules.reversible_first),
        Rule("3.2/rule/3", "Schemas and large repairs only after the first recovery", rules.schema_later),
    ),
    conditions=(
        ("7/condition/1", "The API that was hit fails less and less"),
        ("7/condition/2", "The backlogs shrink"),
        ("7/condition/3", "The main indicators are on their way to their objectives"),
        ("7/condition/4", "Nothing new went wrong"),
    ),
    stops=(
        ("OIDC", ("gateway.login",)),
        ("BFF", ("gateway.",)),
        ("Account", ("account.",)),
        ("Matchmaking", ("matchmaking.",)),
        ("Redis", ("matchmaking.redis",)),
        ("DB", ("database.",)),
        ("Outbox", ("entitlement.outbox", "entitlement.publish")),
        ("NATS", ("notification.entitlement_lag", "notification.matchmaking_lag", "notification.nats")),
        ("Notification", ("notification.",)),
    ),
    tools={"restore-privileges": Kind.REVERSIBLE},
    consistency="consistency",
    remarks={"6.3/sql/2": "cannot fail while the foreign key stands"},
)
