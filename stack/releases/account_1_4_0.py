"""Account 1.4.0: knows the audit log's column by its next name, and by the one of today."""

import json
import uuid

from starlette.applications import Starlette

from stack.services.account.app import Api
from stack.services.account.store import Store
from stack.services.common.server import serve
from stack.services.common.settings import Settings


class NextStore(Store):
    """Writes whichever column there is."""

    async def suspend(self, user_id: uuid.UUID, actor: str, reason: str) -> bool:
        """Status and audit record in one transaction."""
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                "UPDATE account.users SET status = 'SUSPENDED', updated_at = now() WHERE user_id = %s", (user_id,)
            )
            if cursor.rowcount == 0:
                return False
            found = await connection.execute(
                "SELECT 1 FROM information_schema.columns WHERE table_schema = 'account'"
                " AND table_name = 'audit_logs' AND column_name = 'metadata'"
            )
            column = "metadata" if await found.fetchone() else "metadata_json"
            await connection.execute(
                f"INSERT INTO account.audit_logs (actor_user_id, action, target_user_id, {column})"  # noqa: S608
                " VALUES (%s, 'SUSPEND', %s, %s)",
                (actor, user_id, json.dumps({"reason": reason})),
            )
        return True


class Next(Api):
    """Account with that store."""

    store_type = NextStore


def build(settings: Settings) -> Starlette:
    """The service of its settings."""
    return Next(settings).app()


if __name__ == "__main__":
    serve("account", build, default_port=8081)
