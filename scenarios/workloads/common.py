"""What workloads share: entering an answer in the ledger."""

from collections.abc import Mapping

from harness.model.ledger import Sent
from harness.model.ports import Client
from harness.model.values import Reply


def enter(
    client: Client,
    op: str,
    planned_s: float,
    sent_s: float,
    reply: Reply,
    *,
    accepted: bool,
    key: str = "",
    data: Mapping[str, str] | None = None,
) -> None:
    """Enter a request that has ended."""
    client.ledger.add(
        Sent(
            op,
            planned_s,
            sent_s,
            client.clock.now_s(),
            reply.status,
            reply.code,
            reply.error,
            accepted,
            key,
            dict(data or {}),
        )
    )


def said(reply: Reply) -> dict[str, str]:
    """Who the answer of `/v1/me` says one is, and the status of the account; empty for any other answer."""
    body = reply.json() if reply.status == 200 else None
    if not isinstance(body, dict) or "accountStatus" not in body:
        return {}
    return {"user": str(body.get("userId", "")), "status": str(body["accountStatus"])}
