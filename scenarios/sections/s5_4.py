"""5.4: accounts are inactive."""

from harness.model.runbook import done, measured
from harness.model.scenario import Check, Section
from scenarios.probes import account, gateway

SECTION = Section(
    "5.4",
    "/v1/me answers ACCOUNT_INACTIVE",
    (
        Check("5.4/check/1", "Suspensions of late", (account.suspend_records,)),
        Check("5.4/check/2", "Whether audit records and users agree", (account.audit_differences,)),
        Check("5.4/check/3", "Users whose status is suspended", (account.suspended_rows,)),
    ),
    bullets=(
        done("5.4/response/1", "FM-BFF-ACC-05:stop_cleanup", "FM-BFF-ACC-05:reinstate"),
        done("5.4/response/2", "FM-ACC-03:restore_privileges", "FM-ACC-03:record_missing"),
        measured("5.4/recovery/1", gateway.inactive_share, account.rightly_suspended_rows),
        measured("5.4/recovery/2", account.audit_differences),
    ),
)
