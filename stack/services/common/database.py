"""PostgreSQL: a pool that connects in the background, and the service's own migrations before it is ready."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from weakref import WeakSet

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from stack.services.common.loops import Loop
from stack.services.common.settings import Settings

log = logging.getLogger(__name__)

DATABASE_ERRORS = (psycopg.Error, PoolTimeout)
"""What a statement may raise when the database, not the service, is at fault."""

Connection = psycopg.AsyncConnection[Any]


class Database:
    """One service's pool on its own schema."""

    def __init__(self, settings: Settings, service: str, migrations: Path) -> None:
        self._service = service
        self._migrations = migrations
        self._parts: dict[str, Any] = {
            "host": settings.text("POSTGRES_HOST", "127.0.0.1"),
            "port": settings.text("POSTGRES_PORT", "5432"),
            "dbname": settings.text("POSTGRES_DB", "gameday"),
            "user": settings.text("POSTGRES_USER", service),
            "password": settings.text("POSTGRES_PASSWORD", ""),
        }
        self.acquire_timeout_s = settings.duration_s(f"{service}.database.acquire-timeout", "2s")
        statement_s = settings.duration_s(f"{service}.database.statement-timeout", "5s")
        self._statement_timeout_ms = int(statement_s * 1000)
        self._size = settings.integer(f"{service}.database.pool-size", 10)
        self._lifetime_s = settings.duration_s(f"{service}.database.max-lifetime", "30m")
        self._pool: AsyncConnectionPool[Connection] | None = None
        self._alike: WeakSet[Connection] = WeakSet()
        """Opened since the pool was last drained: when one of them is dead, the others may be, and nobody has looked."""
        self._migrated = False
        self._migrating = Loop(f"{service} migrations", self._migrate_once, 0.1, survives=(psycopg.Error, OSError))

    @property
    def pool(self) -> AsyncConnectionPool[Connection]:
        """The pool; only there between start and stop."""
        if self._pool is None:
            raise RuntimeError("the database is used before the service started")
        return self._pool

    async def start(self) -> None:
        """Begin to connect and to migrate."""
        self._pool = AsyncConnectionPool(
            kwargs={
                **self._parts,
                "application_name": self._service,
                "autocommit": True,
                "connect_timeout": 2,
                "options": f"-c statement_timeout={self._statement_timeout_ms}",
            },
            min_size=1,
            max_size=self._size,
            timeout=self.acquire_timeout_s,
            max_lifetime=self._lifetime_s,
            # Then whoever needs a connection next asks for it at once, rather than after a pause that has grown long.
            reconnect_timeout=self.acquire_timeout_s,
            num_workers=2,
            open=False,
            configure=self._opened,
            # A connection that died while it was idle must not fail whoever gets it next.
            check=self._check,
        )
        await self._pool.open(wait=False)
        await self._migrating.start()

    async def stop(self) -> None:
        """Let go of every connection."""
        await self._migrating.stop()
        if self._pool is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._pool.close(timeout=0.3), 0.8)

    async def _opened(self, connection: Connection) -> None:
        self._alike.add(connection)

    async def _check(self, connection: Connection) -> None:
        """Raises when the connection is dead; then those that idled beside it are given up with it.

        The pool waits a second before it tries a third one, so that a few dead ones use up all the time of whoever waits.
        """
        try:
            await AsyncConnectionPool.check_connection(connection)
        except psycopg.Error:
            if connection in self._alike:
                self._alike.clear()
                await self.pool.drain()
            raise

    async def ready(self) -> bool:
        """Whether the schema is in place; a database that went away since shows in the answers, not here."""
        return self._migrated

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection in autocommit; raises one of DATABASE_ERRORS."""
        async with self.pool.connection() as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in a transaction that commits at the end or rolls back."""
        async with self.pool.connection() as connection, connection.transaction():
            yield connection

    async def _migrate_once(self) -> bool:
        await asyncio.to_thread(self._migrate)
        self._migrated = True
        self._migrating.finish()
        log.info("schema %s is in place", self._service)
        return False

    def _migrate(self) -> None:
        """Apply what is missing; another instance that does the same waits for it."""
        with psycopg.connect(
            **self._parts,
            connect_timeout=2,
            autocommit=True,
            application_name=f"{self._service} migrations",
        ) as session:
            # The library keeps its own lock in a row, which a killed process would leave behind; this one goes with it.
            session.execute("SELECT pg_advisory_lock(hashtext(%s))", (f"{self._service} migrations",))
            known = session.execute("SELECT to_regclass(%s)", (f"{self._service}._yoyo_migration",)).fetchone()
            if known and known[0]:
                applied = session.execute(f"SELECT migration_id FROM {self._service}._yoyo_migration").fetchall()  # noqa: S608
                if {row[0] for row in applied} >= {p.stem for p in self._migrations.glob("*.sql")}:
                    return
            self._apply()

    def _apply(self) -> None:
        import yoyo  # noqa: PLC0415  (only a service that finds its schema missing needs it)

        user, password = quote(self._parts["user"]), quote(self._parts["password"])
        place = f"{self._parts['host']}:{self._parts['port']}/{self._parts['dbname']}"
        backend = yoyo.get_backend(
            f"postgresql+psycopg://{user}:{password}@{place}?schema={self._service}", migration_table="_yoyo_migration"
        )
        try:
            backend.apply_migrations(backend.to_apply(yoyo.read_migrations(str(self._migrations))))
        finally:
            backend.connection.close()
