"""Procedures of on-call that no single failure mode owns: the smallest recovery and holding load back (6.1, 6.2)."""

from harness.model.ports import Operator

NEWEST = 20
"""So many log lines are read before a restart."""


async def smallest_recovery(operator: Operator, service: str, complaint: str) -> list[str]:
    """Look at the newest log lines with the complaint, then restart; gives the lines. The indicators are judged after it."""
    lines = (await operator.log_lines(service, complaint))[-NEWEST:]
    await operator.restart(service)
    return lines


async def fewer_notifications_at_once(operator: Operator, parallelism: int) -> None:
    """Let the delivery worker send fewer at a time."""
    await operator.set_setting("notification", "notification.delivery.parallelism", str(parallelism))


async def smaller_outbox_batches(operator: Operator, rows: int) -> None:
    """Let the relay publish less at a time."""
    await operator.set_setting("entitlement", "entitlement.outbox.batch-size", str(rows))


async def fewer_calls_to_account(operator: Operator, calls: int) -> None:
    """Limit how many calls the gateway has open to account."""
    await operator.set_setting("gateway-bff", "gateway.account.max-concurrent-calls", str(calls))
