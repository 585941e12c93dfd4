"""Notifications: a subscriber, a delivery worker, retention, and an inbox to look into."""

import json
from pathlib import Path

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stack.services.common.app import ApiError, create_app
from stack.services.common.database import DATABASE_ERRORS, Database
from stack.services.common.messaging import Messaging
from stack.services.common.settings import Settings
from stack.services.notification.delivery import Delivery
from stack.services.notification.retention import Retention
from stack.services.notification.subscriber import Subscriber

MIGRATIONS = Path(__file__).parent / "migrations"


class Api:
    """The routes."""

    def __init__(self, settings: Settings) -> None:
        self.registry = CollectorRegistry()
        self.database = Database(settings, "notification", MIGRATIONS)
        self.messaging = Messaging(settings, "notification")
        self.subscriber = Subscriber(settings, self.database, self.messaging, self.registry)
        self.delivery = Delivery(settings, self.database, self.registry)
        self.retention = Retention(settings, self.database, self.registry)

    async def inbox(self, request: Request) -> Response:
        """A user's newest notifications."""
        user_id = request.path_params["user_id"]
        try:
            async with self.database.connection() as connection:
                cursor = await connection.execute(
                    "SELECT notification_id, event_id, type, status, payload_json, occurred_at, sent_at"
                    " FROM notification.notifications WHERE user_id = %s ORDER BY created_at DESC LIMIT 200",
                    (user_id,),
                )
                rows = await cursor.fetchall()
        except DATABASE_ERRORS as error:
            raise ApiError(
                503, "DATABASE_UNAVAILABLE", f"the database did not answer: {type(error).__name__}"
            ) from error
        found = [
            {
                "notification_id": str(row[0]),
                "event_id": row[1],
                "type": row[2],
                "status": row[3],
                "payload": json.loads(row[4]),
                "occurred_at": row[5].isoformat(),
                "sent_at": row[6].isoformat() if row[6] else None,
            }
            for row in rows
        ]
        return JSONResponse({"user_id": user_id, "notifications": found})


def build(settings: Settings) -> Starlette:
    """The service of its settings."""
    api = Api(settings)
    return create_app(
        api.registry,
        [Route("/debug/notification/inbox/{user_id}", api.inbox)],
        ready={"db": api.database.ready, "nats": api.messaging.ready, "subscriber": api.subscriber.ready},
        background=(api.database, api.messaging, api.subscriber, api.delivery, api.retention),
    )
