"""What account keeps: users, identities, roles, and the audit of suspensions."""

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from stack.services.common.database import Connection, Database

_USER = (
    "SELECT u.user_id, u.display_name, u.locale, u.status,"
    " coalesce(array_agg(r.role ORDER BY r.role) FILTER (WHERE r.role IS NOT NULL), '{}')"
    " FROM account.users u LEFT JOIN account.account_roles r USING (user_id) WHERE u.user_id = %s GROUP BY u.user_id"
)


@dataclass(frozen=True)
class User:
    """One account; `status` is ACTIVE or SUSPENDED."""

    user_id: str
    display_name: str
    locale: str
    status: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Identity:
    """Who somebody is at a provider of identities."""

    provider: str
    subject: str
    email: str
    email_verified: bool
    name: str

    @property
    def user_id(self) -> uuid.UUID:
        """The user id: a version 3 UUID of the name `provider:subject` without a namespace."""
        digest = hashlib.md5(f"{self.provider}:{self.subject}".encode(), usedforsecurity=False).digest()
        return uuid.UUID(bytes=digest, version=3)


class Store:
    """The tables."""

    def __init__(self, database: Database, conflict: Callable[[], None]) -> None:
        self._database = database
        self._conflict = conflict

    async def resolve(self, identity: Identity) -> User:
        """The user of an identity, created when it is new; whoever loses the race reads the winner."""
        async with self._database.connection() as connection:
            known = await self._by_identity(connection, identity)
        if known is not None:
            return known
        try:
            async with self._database.transaction() as connection:
                await self._create(connection, identity)
        except psycopg.errors.UniqueViolation:
            self._conflict()
        async with self._database.connection() as connection:
            known = await self._by_identity(connection, identity)
        if known is None:
            raise psycopg.DataError(f"{identity.provider}:{identity.subject} collides with another identity's user id")
        return known

    async def _by_identity(self, connection: Connection, identity: Identity) -> User | None:
        cursor = await connection.execute(
            "SELECT user_id FROM account.identities WHERE provider = %s AND subject = %s",
            (identity.provider, identity.subject),
        )
        row = await cursor.fetchone()
        return await self._user(connection, row[0]) if row else None

    async def _create(self, connection: Connection, identity: Identity) -> None:
        await connection.execute(
            "INSERT INTO account.users (user_id, display_name, status) VALUES (%s, %s, 'ACTIVE')",
            (identity.user_id, identity.name or identity.email or identity.subject),
        )
        await connection.execute(
            "INSERT INTO account.identities (provider, subject, user_id, email, email_verified) VALUES (%s, %s, %s, %s, %s)",
            (identity.provider, identity.subject, identity.user_id, identity.email, identity.email_verified),
        )
        await connection.execute(
            "INSERT INTO account.account_roles (user_id, role) VALUES (%s, 'USER')", (identity.user_id,)
        )

    async def _user(self, connection: Connection, user_id: uuid.UUID) -> User | None:
        cursor = await connection.execute(_USER, (user_id,))
        row = await cursor.fetchone()
        return User(str(row[0]), row[1], row[2], row[3], tuple(row[4])) if row else None

    async def user(self, user_id: uuid.UUID) -> User | None:
        """One account; None when there is none."""
        async with self._database.connection() as connection:
            return await self._user(connection, user_id)

    async def change(self, user_id: uuid.UUID, display_name: str | None, locale: str | None) -> User | None:
        """Change what is not None; None when there is no such account."""
        async with self._database.transaction() as connection:
            await connection.execute(
                "UPDATE account.users SET display_name = coalesce(%s, display_name), locale = coalesce(%s, locale),"
                " updated_at = now() WHERE user_id = %s",
                (display_name, locale, user_id),
            )
            return await self._user(connection, user_id)

    async def suspend(self, user_id: uuid.UUID, actor: str, reason: str) -> bool:
        """Status and audit record in one transaction; false when there is no such account."""
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                "UPDATE account.users SET status = 'SUSPENDED', updated_at = now() WHERE user_id = %s", (user_id,)
            )
            if cursor.rowcount == 0:
                return False
            await connection.execute(
                "INSERT INTO account.audit_logs (actor_user_id, action, target_user_id, metadata_json)"
                " VALUES (%s, 'SUSPEND', %s, %s)",
                (actor, user_id, json.dumps({"reason": reason})),
            )
        return True
