"""A runbook's queries: whether they can be run at all, only read, and what they are with scaled intervals."""

from dataclasses import dataclass
from typing import Any

from pglast import Error, ast, parse_sql
from pglast.enums import A_Expr_Kind
from pglast.stream import RawStream
from pglast.visitors import Skip, Visitor

from harness.model.runbook import Query
from harness.runbook.parse import Item

_ACTING = (
    "pg_terminate_", "pg_cancel_", "pg_reload_", "pg_sleep", "pg_advisory_", "pg_try_advisory_", "pg_notify", "lo_",
    "dblink", "set_config", "nextval", "setval", "pg_read_", "pg_ls_", "pg_switch_", "pg_promote", "pg_create_", "pg_drop_",
    "pg_replication_", "pg_logical_", "query_to_xml",
)  # fmt: skip
"""Functions whose names begin so do more than read rows."""

MOST_TEXT = 10_000
"""Characters of a query that a person reads; far longer ones bring the parser down with the whole process."""

_DEEP = "it is nested too deeply"


@dataclass(frozen=True)
class Examined:
    """What is known of a query before anything runs it.

    Attributes:
        problem: why it is not run, in one line; empty when it can be.
        kind: `broken-sql` or `writes` when there is a problem.
        statement: what there is to run, without a semicolon.
        tables: that it reads, as they are written.
    """

    key: str
    digest: str
    problem: str = ""
    kind: str = ""
    statement: str = ""
    tables: tuple[str, ...] = ()


def examine(item: Item) -> Examined:
    """Parse a query; one that does not parse, or does more than read, is never run."""
    problem, kind, tables = _looked_at(item.text)
    text = "" if problem else item.text.rstrip().rstrip(";").rstrip()
    return Examined(item.key, item.digest, problem, kind, text, tables)


def _looked_at(text: str) -> tuple[str, str, tuple[str, ...]]:
    """What is wrong with a query, its kind of gap, and the tables that it reads."""
    if len(text) > MOST_TEXT:
        return f"it has {len(text)} characters; a query has at most {MOST_TEXT}", "broken-sql", ()
    look = _Look()
    try:
        statements = parse_sql(text)
        look(statements)
        scaled(text, 0.5)
    except Error as error:
        return f"it does not parse: {_one_line(error)}", "broken-sql", ()
    except RecursionError:
        return f"it does not parse: {_DEEP}", "broken-sql", ()
    if len(statements) != 1:
        return f"it has {len(statements) or 'no'} statements; a query is one", "broken-sql", ()
    if look.acts:
        return f"it would do more than read: {look.acts[0]}", "writes", ()
    return "", "", tuple(sorted(look.tables - look.named))


def query_of(examined: Examined, factor: float) -> Query | None:
    """The query as it is sampled, its intervals scaled by a factor beside it; None for one that is not run."""
    if examined.problem:
        return None
    return Query(examined.key, examined.digest, examined.statement, scaled(examined.statement, factor))


def scaled(statement: str, factor: float) -> str | None:
    """The statement with every interval multiplied by a factor; None when it has none or the factor is 1."""
    if factor == 1:
        return None
    tree = parse_sql(statement)
    scale = _Scale(factor)
    scale(tree)
    return RawStream()(tree) if scale.found else None


class _Look(Visitor):
    """Collects what a statement reads, and whatever in it does more than read."""

    def __init__(self) -> None:
        super().__init__()
        self.acts: list[str] = []
        self.tables: set[str] = set()
        self.named: set[str] = set()

    def visit_RawStmt(self, _ancestors: Any, node: Any) -> None:  # noqa: N802  (the library's names)
        statement = node.stmt
        if isinstance(statement, ast.ExplainStmt) and not _carries_out(statement):
            statement = statement.query
        if not isinstance(statement, ast.SelectStmt | ast.VariableShowStmt):
            self.acts.append(_verb(node.stmt))

    def visit_SelectStmt(self, _ancestors: Any, node: Any) -> None:  # noqa: N802
        if node.intoClause is not None:
            self.acts.append("SELECT INTO")
        if node.lockingClause:
            self.acts.append("SELECT FOR UPDATE or SHARE")

    def visit_CommonTableExpr(self, _ancestors: Any, node: Any) -> None:  # noqa: N802
        self.named.add(node.ctename)
        if not isinstance(node.ctequery, ast.SelectStmt):
            self.acts.append(_verb(node.ctequery))

    def visit_FuncCall(self, _ancestors: Any, node: Any) -> None:  # noqa: N802
        name = node.funcname[-1].sval.lower()
        if name.startswith(_ACTING):
            self.acts.append(f"{name}()")

    def visit_RangeVar(self, _ancestors: Any, node: Any) -> None:  # noqa: N802
        self.tables.add(f"{node.schemaname}.{node.relname}" if node.schemaname else node.relname)


class _Scale(Visitor):
    """Puts `interval * factor` in every interval's place."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.found = 0
        self._factor = f"{factor:.12g}"
        self._made: set[int] = set()

    def visit_A_Expr(self, _ancestors: Any, node: Any) -> Any:  # noqa: N802
        return Skip if id(node) in self._made else None

    def visit_TypeCast(self, _ancestors: Any, node: Any) -> Any:  # noqa: N802
        names = [n.sval for n in node.typeName.names]
        if names[-1] != "interval" or not isinstance(node.arg, ast.A_Const):
            return None
        self.found += 1
        factor = ast.A_Const(val=ast.Float(fval=self._factor))
        made = ast.A_Expr(kind=A_Expr_Kind.AEXPR_OP, name=(ast.String(sval="*"),), lexpr=node, rexpr=factor)
        self._made.add(id(made))
        return made


def _carries_out(explain: ast.ExplainStmt) -> bool:
    """Whether an EXPLAIN runs its statement."""
    return any(option.defname.lower() == "analyze" for option in explain.options or ())


def _verb(statement: Any) -> str:
    name = type(statement).__name__.removesuffix("Stmt")
    return "".join(f" {c}" if c.isupper() else c for c in name).strip().upper()


def _one_line(error: Exception) -> str:
    return " ".join(str(error.args[0] if error.args else error).split())
