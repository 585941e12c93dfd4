"""The history of runs: one embedded database in the reports' folder, which can be made again from the runs themselves.

What it holds beside the runs is `drills`: the results of trainees, written with `History.add_drill`.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

from harness.model.errors import GamedayError, InfrastructureError, UsageError
from harness.report import journal
from harness.report.journal import JOURNAL
from harness.report.record import of
from harness.report.run_json import run_json

FILE = "history.db"
DEBRIEF, DRILL = "debrief.json", "drill"
"""A file that drills alone leave, and what stands in their journals in the place of an arm."""

BUSY_S = 10.0
"""How long one process waits for another one that is writing."""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE runs (
      run_id TEXT PRIMARY KEY, started_at TEXT, finished_at TEXT, interrupted INTEGER NOT NULL, seed INTEGER,
      runtime TEXT, profile TEXT, arm TEXT, folder TEXT NOT NULL
    );
    CREATE TABLE results (
      run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, n INTEGER NOT NULL, id TEXT NOT NULL,
      variant TEXT NOT NULL, claim TEXT NOT NULL, reason TEXT NOT NULL, ttd_s REAL, ttr_s REAL,
      response_to_recovery_s REAL, PRIMARY KEY (run_id, n)
    );
    CREATE INDEX results_by_id ON results (id, variant);
    CREATE TABLE drills (
      n INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL, scenario TEXT NOT NULL,
      run_id TEXT, result TEXT NOT NULL
    );
    """,
    "CREATE INDEX runs_by_time ON runs (started_at, run_id)",
    "DELETE FROM runs WHERE arm = 'drill'",
)
"""What brings a database from each version of its schema to the next; the version is its `user_version`."""


class Result(NamedTuple):
    """What one scenario came to in one run; times are seconds, None where there is none.

    A named tuple, for an overview of thousands of runs makes a hundred thousand of them.
    """

    run_id: str
    at: str
    label: str
    claim: str
    reason: str
    ttd_s: float | None
    ttr_s: float | None
    response_to_recovery_s: float | None
    profile: str = ""
    runtime: str = ""
    arm: str = ""

    @property
    def conditions(self) -> tuple[str, str, str]:
        """Under what it ran: times and claims of other conditions are no measure for it."""
        return self.profile, self.runtime, self.arm


ELSEWHERE = {
    sqlite3.SQLITE_FULL: "free some space",
    **dict.fromkeys((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED), "another gameday is writing; try again"),
    **dict.fromkeys(
        (
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_PERM,
            sqlite3.SQLITE_IOERR,
            sqlite3.SQLITE_AUTH,
        ),
        "let its folder be written, or name another with --reports",
    ),
}
"""What to do when the database is whole and cannot be used all the same, by SQLite's code."""


def _advice(error: sqlite3.Error) -> str:
    # The low byte tells the error, the others its kind; an error of the module itself has no code.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return ELSEWHERE.get(code, "the runs are whole, and gameday history --rebuild makes it again")


class History:
    """One reports' folder's history; raises InfrastructureError, in one line, for a file that cannot be used."""

    def __init__(self, reports: Path) -> None:
        self.reports = reports
        self.path = reports / FILE
        with self._told():
            reports.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA foreign_keys = ON")
                self._migrate()
            except BaseException:  # whatever it was, the file must not stay open; it is raised again
                self._db.close()
                raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise InfrastructureError(f"{self.path} cannot be used: {error}; {_advice(error)}") from None
        except OSError as error:
            raise InfrastructureError(
                f"{self.reports} cannot be written: {error.strerror}; name another folder with --reports"
            ) from None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction: all of it or nothing."""
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:  # interrupted or not, half of it must not stay; it is raised again
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _migrate(self) -> None:
        if self._version() == len(MIGRATIONS):
            return
        with self._writing():
            found = self._version()  # another process may have done it while this one waited
            if found > len(MIGRATIONS):
                raise InfrastructureError(f"{self.path} was written by a newer gameday; use that one")
            for script in MIGRATIONS[found:]:
                for statement in script.split(";"):
                    self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, run: Mapping[str, Any], folder: str) -> None:
        """Enter a run as `run.json` has it; again, it replaces what was there."""
        with self._writing():
            self._add(run, folder)

    def _add(self, run: Mapping[str, Any], folder: str) -> None:
        run_id = run.get("run_id") or folder
        self._db.execute("DELETE FROM runs WHERE run_id = ?", (run_id,))
        names = ("started_at", "finished_at", "seed", "runtime", "profile", "arm")
        self._db.execute(
            f"INSERT INTO runs (run_id, folder, interrupted, {', '.join(names)}) VALUES (?,?,?,?,?,?,?,?,?)",  # noqa: S608
            (run_id, folder, int(bool(run.get("interrupted"))), *(run.get(name) for name in names)),
        )
        self._db.executemany(
            "INSERT INTO results VALUES (?,?,?,?,?,?,?,?,?)",
            [
                (run_id, n, c["id"], c.get("variant") or "", c["claim"], c.get("reason") or "", c.get("ttd_s"),
                 c.get("ttr_s"), c.get("response_to_recovery_s"))
                for n, c in enumerate(run.get("claims") or ())
            ],
        )  # fmt: skip

    def known(self) -> set[str]:
        """The folders of the runs that are in it."""
        with self._told():
            return {str(row[0]) for row in self._db.execute("SELECT folder FROM runs")}

    def import_missing(self) -> list[str]:
        """Enter runs that lie in the folder and are not in it; gives what could not be read.

        A run is read from its `run.json`, or from its journal where that is missing or broken.
        """
        trouble: list[str] = []
        known = self.known()
        # Only what is new is looked into: a folder may hold thousands of runs.
        new = sorted(path for path in self.reports.iterdir() if path.name not in known)
        fresh = [f for f in new if not f.is_symlink() and any((f / name).is_file() for name in ("run.json", JOURNAL))]
        # A drill is no run, for it claims nothing of the runbook; one that was killed has no debrief, but its arm.
        fresh = [f for f in fresh if not (f / DEBRIEF).is_file()]
        if not fresh:
            return trouble
        with self._writing():
            for folder in fresh:
                try:
                    run = _run_of(folder)
                    if run.get("arm") == DRILL and not (folder / "run.json").is_file():
                        continue
                    with self._one_of_many():
                        self._add(run, folder.name)
                except sqlite3.OperationalError:
                    # A full disk or a broken file: it is not this run's fault, and the next would meet it too.
                    raise
                except (*BROKEN, sqlite3.Error) as error:
                    trouble.append(f"{folder} cannot be read: {error}; it is left out of the history")
        return trouble

    @contextmanager
    def _one_of_many(self) -> Iterator[None]:
        """A part of a transaction that can fail without the rest of it."""
        self._db.execute("SAVEPOINT one")
        try:
            yield
        except BaseException:  # interrupted or not, half of a run must not stay; it is raised again
            if self._db.in_transaction:
                self._db.execute("ROLLBACK TO one")
            raise
        finally:
            if self._db.in_transaction:
                self._db.execute("RELEASE one")

    def results(self, id_: str = "") -> list[Result]:
        """All results, or those of an id with its variants, or of one label; oldest first."""
        wanted, _, variant = id_.partition(":")
        where = "WHERE r.id = ?" if wanted else ""
        where += " AND r.variant = ?" if variant else ""
        values = [v for v in (wanted, variant) if v]
        with self._told():
            rows = self._db.execute(
                "SELECT u.run_id, coalesce(u.started_at, ''), iif(r.variant = '', r.id, r.id || ':' || r.variant), "  # noqa: S608
                "r.claim, r.reason, r.ttd_s, r.ttr_s, r.response_to_recovery_s, "
                "coalesce(u.profile, ''), coalesce(u.runtime, ''), coalesce(u.arm, '') "
                f"FROM results r JOIN runs u USING (run_id) {where} ORDER BY u.started_at, u.run_id, r.n",
                values,
            ).fetchall()
        return list(map(Result._make, rows))

    def add_drill(self, at: str, who: str, scenario: str, result: Mapping[str, Any], run_id: str | None = None) -> None:
        """Enter what a trainee came to; `result` is kept as it is, `at` is a time of day in ISO form."""
        said = json.dumps(dict(result), ensure_ascii=False)
        with self._writing():
            self._db.execute(
                "INSERT INTO drills (at, who, scenario, run_id, result) VALUES (?,?,?,?,?)",
                (at, who, scenario, run_id, said),
            )

    def drills(self, who: str = "") -> list[dict[str, Any]]:
        """Trainees' results, oldest first: `at`, `who`, `scenario`, `run_id`, and `result` as it was given."""
        with self._told():
            rows = self._db.execute(
                "SELECT at, who, scenario, run_id, result FROM drills WHERE ? IN ('', who) ORDER BY n", (who,)
            ).fetchall()
        return [{"at": r[0], "who": r[1], "scenario": r[2], "run_id": r[3], "result": json.loads(r[4])} for r in rows]


BROKEN = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, GamedayError)
"""What reading a run may fail with, whatever lies in its folder."""

_RUN: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("run_id", "started_at", "finished_at", "runtime", "profile", "arm"), (str,)),
    "seed": (int,),
    "claims": (list,),
}
_CLAIM: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("id", "claim", "variant", "reason"), (str,)),
    **dict.fromkeys(("ttd_s", "ttr_s", "response_to_recovery_s"), (int, float)),
}
"""Of which types the values are that are entered; only an id and a claim must be there."""


def results_of(folder: Path) -> list[Result]:
    """What a run came to, from its folder alone; raises UsageError, in one line, for a run that cannot be read."""
    try:
        run = _run_of(folder)
        if not run.get("run_id") and not run.get("claims"):
            raise ValueError("nothing in it tells of a run")
    except BROKEN as error:
        raise UsageError(f"{folder} cannot be read: {error}; name another run") from None
    met = [run.get(name) or "" for name in ("profile", "runtime", "arm")]
    return [
        Result(
            run.get("run_id") or folder.name, run.get("started_at") or "",
            f"{c['id']}:{c['variant']}" if c.get("variant") else c["id"], c["claim"], c.get("reason") or "",
            c.get("ttd_s"), c.get("ttr_s"), c.get("response_to_recovery_s"), *met,
        )
        for c in run.get("claims") or ()
    ]  # fmt: skip


def _run_of(folder: Path) -> Mapping[str, Any]:
    """A run as `run.json` has it: from that file, or from the journal where it is missing or broken.

    Fails with one of `BROKEN` when neither can be used.
    """
    file = folder / "run.json"
    if not file.is_file():
        return _checked(_told(folder))
    try:
        return _checked(json.loads(file.read_text(encoding="utf-8")))
    except BROKEN:
        with suppress(*BROKEN):
            told = _told(folder)
            if told["run_id"] or told["claims"]:
                return _checked(told)
        raise


def _told(folder: Path) -> dict[str, Any]:
    return run_json(of(journal.read(folder / JOURNAL), keep_sweeps=False))


def _checked(run: Any) -> Mapping[str, Any]:
    """The run, when every value in it that is entered is of its type; raises ValueError."""
    _of_types(run, _RUN)
    for claim in run.get("claims") or ():
        _of_types(claim, _CLAIM, needed=("id", "claim"))
    return run  # type: ignore[no-any-return]


def _of_types(data: Any, types: Mapping[str, tuple[type, ...]], needed: Sequence[str] = ()) -> None:
    if not isinstance(data, dict):
        raise ValueError(f"{json.dumps(data)[:40]} stands where an object is wanted")  # noqa: TRY004
    for name, wanted in types.items():
        value = data.get(name)
        if not isinstance(value, wanted) and (value is not None or name in needed):
            raise ValueError(f"its {name} is {json.dumps(value)[:40]}")


def set_aside(reports: Path) -> list[dict[str, Any]]:
    """Put the database aside, whatever state it is in, for a new one; gives the drills that could be read from it."""
    path = reports / FILE
    if not path.exists():
        return []
    try:
        with History(reports) as old:
            drills = old.drills()
    except InfrastructureError:
        drills = []
    number = 1
    while (aside := reports / f"{FILE}.old-{number}").exists():
        number += 1
    try:
        path.replace(aside)
        for rest in ("-wal", "-shm"):
            (reports / f"{FILE}{rest}").unlink(missing_ok=True)
    except OSError as error:
        raise InfrastructureError(f"{path} cannot be put aside: {error.strerror}") from None
    return drills


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value below which a share of them lies, between neighbours in proportion; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


WORSE_TIMES = 1.5
WORSE_S = 2.0


def worse(before: Result, now: Result) -> str:
    """Why a result is worse than the one before, or empty.

    A claim that was PROVEN and is not is worse. So is a response-to-recovery that is both 1.5 times and 2 s longer:
    short recoveries vary by themselves. What ran under other conditions is not compared: a profile is another set of
    lengths, and on another arm the same word is a claim of something else.
    """
    if before.conditions != now.conditions:
        return ""
    if before.claim == "PROVEN" and now.claim in {"REFUTED", "INCONCLUSIVE"}:
        return f"was PROVEN, is {now.claim}"
    was_s, is_s = before.response_to_recovery_s, now.response_to_recovery_s
    if was_s is None or is_s is None:
        return ""
    if is_s > was_s * WORSE_TIMES and is_s - was_s > WORSE_S:
        return (
            f"response to recovery {is_s:.1f} s, was {was_s:.1f} s (more than {WORSE_TIMES:g} times and {WORSE_S:g} s)"
        )
    return ""
