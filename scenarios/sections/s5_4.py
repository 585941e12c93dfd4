"""5.4: accounts are inactive."""

from harness.model.scenario import Check, Section
from scenarios.probes import account

SECTION = Section(
    "5.4",
    "/v1/me answers ACCOUNT_INACTIVE",
    (
        Check("5.4/check/1", "Suspensions of late", (account.suspend_records,)),
        Check("5.4/check/2", "Whether audit records and users agree", (account.audit_differences,)),
        Check("5.4/check/3", "Users whose status is suspended", (account.suspended_rows,)),
    ),
)
