"""PostgreSQL: roles and schemas of a new cell, reading, on-call's and the faults' sessions; the only module with psycopg."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from harness.drivers.clock import pause, wait_until
from harness.model.errors import ActFailed, CellError, Happened, Unreadable
from harness.model.runtime import Address, Cell
from harness.model.topology import Topology

OBSERVER, ON_CALL, SUPERUSER = "gameday", "oncall", "postgres"
"""The harness's own role, on-call's, and the one that sets a cell up; a service's role has the service's name."""

CONNECT_S = 2
NEW_S = 30
"""How long one that was just started may take to answer, on a machine where several are."""

FOREIGN_MS, FOREIGN_ROWS = 500, 200

TAKE_EVERY_S = 0.04
"""How often a session that is to be held is tried for when the database has no connection left."""

Session = psycopg.AsyncConnection[Any]

_SESSIONS = """
SELECT a.pid, a.usename AS "user", a.application_name AS application, a.state,
       extract(epoch FROM now() - a.state_change)::float8 AS age_s, a.wait_event_type AS waiting_for,
       pg_blocking_pids(a.pid) AS blocked_by, left(a.query, 200) AS query
  FROM pg_stat_activity a
 WHERE a.backend_type = 'client backend' AND a.usename <> ALL (%s) ORDER BY a.pid
"""


def part_of(topology: Topology) -> str | None:
    """The name of the PostgreSQL part; None when the topology has none."""
    return topology.speaking("postgres")


def password_of(topology: Topology, role: str) -> str:
    """A role's password: the secret `<role>-db`."""
    return topology.secrets[f"{role}-db"]


async def connect(cell: Cell, role: str, *, address: Address | None = None, **options: Any) -> Session:
    """A session in autocommit; raises psycopg.Error."""
    name = part_of(cell.topology)
    if name is None:
        raise CellError("the topology has no PostgreSQL")
    place = address or cell.address(name)
    password = cell.superuser_password if role == SUPERUSER else password_of(cell.topology, role)
    return await psycopg.AsyncConnection.connect(
        host=place.host,
        port=place.port,
        user=role,
        password=password,
        dbname=str(cell.topology.parts[name].options.get("database", "postgres")),
        autocommit=True,
        connect_timeout=CONNECT_S,
        **{"application_name": role, **options},
    )


async def provision(cell: Cell, part: str) -> None:
    """Create the database, the roles and the schemas of a new cell; raises CellError."""
    options = cell.topology.parts[part].options
    place = cell.address(part)
    script = (Path(cell.topology.folder) / str(options["roles"])).read_text()
    for name, value in cell.topology.secrets.items():
        script = script.replace(f"{{{name}}}", value)
    connection: dict[str, Any] = {
        "host": place.host, "port": place.port, "user": SUPERUSER, "password": cell.superuser_password,
        "autocommit": True, "connect_timeout": CONNECT_S,
    }  # fmt: skip

    async def starts() -> Session | None:
        try:
            return await psycopg.AsyncConnection.connect(dbname="postgres", **connection)
        except psycopg.OperationalError:
            return None

    session = await wait_until(starts, what=f"{part} of {cell.name}", timeout_s=NEW_S)
    assert session is not None  # noqa: S101  (what it waited for)
    try:
        async with session:
            await session.execute(f'CREATE DATABASE "{options["database"]}" STRATEGY file_copy')
        # Where several cells are made at once, one that has just made a database may be slow to take the next connection.
        connection["connect_timeout"] = NEW_S
        async with await psycopg.AsyncConnection.connect(dbname=str(options["database"]), **connection) as inside:
            await inside.execute(script)
    except psycopg.Error as error:
        raise CellError(f"the roles of {part} could not be set up: {error}") from None


class Reader:
    """The harness's own read-only session, which no link fault touches; one query at a time."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._session: Session | None = None
        self._foreign: Session | None = None
        self._lock = asyncio.Lock()

    async def rows(self, query: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query; raises Unreadable."""
        async with self._lock:
            fresh = self._session is None or self._session.closed
            try:
                return await self._rows(query, params)
            except psycopg.Error as error:
                # A session of before a restart says so only when it is used; reading again has no effect.
                if fresh or self._session is None or not self._session.closed:
                    raise Unreadable(f"PostgreSQL: {_one_line(error)}") from None
            try:
                return await self._rows(query, params)
            except psycopg.Error as error:
                raise Unreadable(f"PostgreSQL: {_one_line(error)}") from None

    async def _rows(self, query: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        if self._session is None or self._session.closed:
            self._session = await connect(self._cell, OBSERVER)
        cursor = await self._session.execute(query, params or None)
        return list(await cursor.fetchall())

    async def foreign(self, text: str) -> list[tuple[Any, ...]]:
        """Rows of somebody else's query, on a session of its own that cannot write; raises Unreadable.

        The role may only read, the transaction is read-only and is taken back. At most `FOREIGN_ROWS` rows.
        """
        try:
            if self._foreign is None or self._foreign.closed:
                self._foreign = await connect(self._cell, OBSERVER, options=f"-c statement_timeout={FOREIGN_MS}")
                await self._foreign.set_read_only(True)
            async with self._foreign.transaction(force_rollback=True):
                # Prepared, so it is one statement whatever the text says.
                cursor = await self._foreign.execute(text, prepare=True)
                return list(await cursor.fetchmany(FOREIGN_ROWS)) if cursor.description else []
        except (psycopg.Error, CellError) as error:
            raise Unreadable(f"PostgreSQL: {_one_line(error)}") from None

    async def close(self) -> None:
        """End the sessions."""
        for session in (self._session, self._foreign):
            if session is not None:
                with contextlib.suppress(psycopg.Error):
                    await session.close()


class Sessions:
    """Sessions of services' roles that faults use, and those of on-call."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._held: list[Session] = []
        self._taking: list[asyncio.Task[None]] = []

    async def run(self, role: str, statement: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run statements under a role in one transaction; raises ActFailed."""
        if role == SUPERUSER:
            raise ActFailed("nothing runs under a superuser", happened=Happened.NO)
        try:
            async with await connect(self._cell, role, application_name="psql") as session, session.transaction():
                cursor = await session.execute(statement, params or None)
                return list(await cursor.fetchall()) if cursor.description else []
        except psycopg.Error as error:
            raise ActFailed(f"the database refused it under {role}: {_one_line(error)}") from None

    async def hold(self, role: str, statements: Sequence[str], *, sessions: int) -> None:
        """Open sessions that leave their transaction open; raises ActFailed when not even one can be.

        Those for which the database has no connection are tried for again and again, as a client does that wants many.
        """
        for left in range(sessions, 0, -1):
            try:
                await self._hold(role, statements)
            except psycopg.Error as error:
                if left == sessions or not isinstance(error, psycopg.OperationalError):
                    raise ActFailed(f"a session of {role} could not be held: {_one_line(error)}") from None
                take = self._take(role, statements, left)
                self._taking.append(asyncio.create_task(take, name=f"sessions of {role}"))
                return

    async def _hold(self, role: str, statements: Sequence[str]) -> None:
        session = await connect(self._cell, role, application_name="psql")
        self._held.append(session)
        await session.execute("BEGIN")
        for statement in statements:
            await session.execute(statement)

    async def _take(self, role: str, statements: Sequence[str], sessions: int) -> None:
        while sessions:
            try:
                await self._hold(role, statements)
                sessions -= 1
            except psycopg.OperationalError:
                await pause(TAKE_EVERY_S)

    async def release(self) -> None:
        """End the held sessions, and stop asking for more."""
        taking, self._taking = self._taking, []
        for task in taking:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        held, self._held = self._held, []
        for session in held:
            with contextlib.suppress(psycopg.Error):
                await session.close()

    async def list(self) -> list[Mapping[str, Any]]:
        """The sessions as on-call sees them; raises ActFailed."""
        try:
            async with await connect(self._cell, ON_CALL) as session:
                cursor = session.cursor(row_factory=dict_row)
                await cursor.execute(_SESSIONS, ([OBSERVER, ON_CALL, SUPERUSER],))
                return list(await cursor.fetchall())
        except psycopg.Error as error:
            raise ActFailed(f"the sessions could not be listed: {_one_line(error)}") from None

    async def end(self, pid: int) -> None:
        """End one; raises ActFailed when it is still there."""
        rows = await self.run(ON_CALL, "SELECT pg_terminate_backend(%s, 2000)", (pid,))
        if not rows or rows[0][0] is not True:
            raise ActFailed(f"the session {pid} did not end; list the sessions to see whether it is there")


class Baseline:
    """What of a cell's database is not data: columns, grants, roles."""

    _COLUMNS = (
        "SELECT table_schema || '.' || table_name || '.' || column_name || ' ' || data_type"
        " FROM information_schema.columns WHERE table_schema = ANY (%s)"
    )
    _GRANTS = (
        "SELECT n.nspname || '.' || c.relname || ' ' || coalesce(r.rolname, 'public') || ' ' || a.privilege_type"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a"
        " LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE n.nspname = ANY (%s) AND c.relkind = 'r'"
    )
    _TABLES = (
        "SELECT schemaname || '.' || tablename FROM pg_tables"
        " WHERE schemaname = ANY (%s) AND tablename NOT LIKE '%%yoyo%%' ORDER BY 1"
    )

    _NAMES = (
        "SELECT n.nspname, c.relname, a.attnum, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = ANY (%s) AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
    )

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._taken: frozenset[str] = frozenset()
        self._names: dict[tuple[str, str, int], str] = {}
        self._tables: list[str] = []
        self._session: Session | None = None

    @contextlib.asynccontextmanager
    async def _open(self) -> AsyncIterator[Session]:
        try:
            yield await self._alive()
        except psycopg.Error as error:
            self._session = None
            raise CellError(f"the database of {self._cell.name} cannot be reset: {_one_line(error)}") from None

    async def _alive(self) -> Session:
        """The session, or a new one when it did not live through a restart of the database."""
        if self._session is not None:
            try:
                await self._session.execute("SELECT 1")
            except psycopg.Error:
                self._session = None
        if self._session is None:
            self._session = await connect(self._cell, SUPERUSER, options="-c lock_timeout=2s")
        return self._session

    def _schemas(self) -> list[str]:
        return list(self._cell.topology.services)

    async def _read(self, session: Session) -> frozenset[str]:
        found: set[str] = set()
        for query, what in ((self._COLUMNS, "column"), (self._GRANTS, "grant")):
            cursor = await session.execute(query, (self._schemas(),))
            found |= {f"{what} {row[0]}" for row in await cursor.fetchall()}
        return frozenset(found)

    async def take(self) -> None:
        """Remember it."""
        async with self._open() as session:
            self._taken = await self._read(session)
            self._names = await self._named(session)
            cursor = await session.execute(self._TABLES, (self._schemas(),))
            self._tables = [row[0] for row in await cursor.fetchall()]

    async def drift(self) -> list[str]:
        """What differs."""
        async with self._open() as session:
            now = await self._read(session)
        return [f"{x} is gone" for x in sorted(self._taken - now)] + [f"{x} is new" for x in sorted(now - self._taken)]

    async def _named(self, session: Session) -> dict[tuple[str, str, int], str]:
        cursor = await session.execute(self._NAMES, (self._schemas(),))
        return {(schema, table, number): name for schema, table, number, name in await cursor.fetchall()}

    async def restore(self) -> list[str]:
        """Undo what can be undone without loss: columns that were renamed, grants that came or went; one line each."""
        async with self._open() as session:
            if await self._read(session) == self._taken:
                return []
            done = []
            for (schema, table, number), name in (await self._named(session)).items():
                before = self._names.get((schema, table, number), name)
                if before != name:
                    place = sql.Identifier(schema, table)
                    rename = sql.SQL("ALTER TABLE {} RENAME COLUMN {} TO {}")
                    await session.execute(rename.format(place, sql.Identifier(name), sql.Identifier(before)))
                    done.append(f"named {schema}.{table}.{name} {before} again")
            return done + await self._regrant(session, await self._read(session))

    async def _regrant(self, session: Session, now: frozenset[str]) -> list[str]:
        done = []
        for drifted, statement in (
            (self._taken - now, "GRANT {} ON {} TO {}"),
            (now - self._taken, "REVOKE {} ON {} FROM {}"),
        ):
            for kind, table, role, privilege in (d.split() for d in sorted(drifted) if d.startswith("grant ")):
                if table not in self._tables:
                    continue
                who = sql.SQL("PUBLIC") if role == "public" else sql.Identifier(role)
                place = sql.Identifier(*table.split("."))
                await session.execute(sql.SQL(statement).format(sql.SQL(privilege), place, who))
                done.append(f"put {kind} {privilege} on {table} of {role} back")
        return done

    async def empty(self) -> None:
        """Empty every table; when services are just writing to them, nothing is emptied, and the next try will do."""
        if self._tables:
            async with self._open() as session:
                with contextlib.suppress(psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable):
                    await session.execute(f"TRUNCATE {', '.join(self._tables)}")

    async def rows(self) -> int:
        """How many tables have rows."""
        if not self._tables:
            return 0
        query = " + ".join(f"(SELECT count(*) FROM (SELECT 1 FROM {t} LIMIT 1) x)" for t in self._tables)  # noqa: S608
        async with self._open() as session:
            row = await (await session.execute(f"SELECT {query}")).fetchone()
        return int(row[0]) if row else 0

    async def close(self) -> None:
        """End the session."""
        if self._session is not None:
            with contextlib.suppress(psycopg.Error):
                await self._session.close()


class PostgresCanary:
    """A session through a link that was open before a fault."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @classmethod
    async def open(cls, cell: Cell, address: Address) -> "PostgresCanary":
        """Connect; raises OSError."""
        try:
            return cls(await connect(cell, OBSERVER, address=address))
        except psycopg.OperationalError as error:
            text = str(error)
            raise (TimeoutError if "timeout" in text else ConnectionRefusedError)(text) from None

    async def ask(self) -> None:
        """Ask for one row; raises OSError."""
        try:
            await self._session.execute("SELECT 1")
        except psycopg.Error as error:
            raise ConnectionResetError(str(error)) from None

    async def close(self) -> None:
        """Drop it without waiting for the server."""
        self._session.pgconn.finish()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
