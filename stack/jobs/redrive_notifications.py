"""Puts a limited set of failed notifications back to work: the DLQ row goes and the row is PENDING, together."""

import argparse
import os

from stack.jobs.common import database, report
from stack.services.common.settings import Settings


def run(settings: Settings, limit: int, error: str) -> None:
    """Re-drive the oldest failed notifications whose error is the named one."""
    with database(settings) as session, session.transaction():
        chosen = session.execute(
            "SELECT n.notification_id FROM notification.notifications n"
            " JOIN notification.notification_dlq d USING (notification_id)"
            " WHERE n.status = 'FAILED' AND (%s = '' OR d.error_message = %s)"
            " ORDER BY d.created_at LIMIT %s FOR UPDATE OF n, d",
            (error, error, limit),
        ).fetchall()
        ids = [row[0] for row in chosen]
        session.execute("DELETE FROM notification.notification_dlq WHERE notification_id = ANY (%s)", (ids,))
        session.execute(
            "UPDATE notification.notifications SET status = 'PENDING', attempt_count = 0, next_retry_at = NULL,"
            " locked_by = NULL, locked_at = NULL, lease_until = NULL WHERE notification_id = ANY (%s)",
            (ids,),
        )
    report({"redriven": len(ids), "notification_ids": [str(i) for i in ids]})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--limit", type=int, required=True)
    parser.add_argument("--error", default="", help="only those that failed with this")
    arguments = parser.parse_args()
    run(Settings(os.environ), arguments.limit, arguments.error)
