"""What a text of SQL does, told by its words: whether it looks, changes data or a schema, ends sessions, names its rows.

Told without the database: where the words leave it open, a text counts as the more that it may do.
"""

import re

_APART = re.compile(
    r"""--[^\n]* | /\*.*?(?:\*/|\Z) | \bE'(?:[^'\\]|\\.|'')*(?:'|\Z) | '(?:[^']|'')*(?:'|\Z) | "(?:[^"]|"")*(?:"|\Z)
    | (?<![\w$])\$((?:[^\W\d]\w*)?)\$(?:.*?\$\1\$|.*)""",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
"""Comments, literals and quoted names: what stands in them does nothing. One without an end is refused as a whole."""

_SCHEMA = re.compile(r"^\(*(ALTER|CREATE|DROP|GRANT|REVOKE|TRUNCATE)\b", re.IGNORECASE)
_LOOK = re.compile(
    r"^\(*(SELECT|WITH|TABLE|VALUES|SHOW|EXPLAIN|BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|SET|RESET)\b",
    re.IGNORECASE,
)
_PLAN = re.compile(r"^EXPLAIN\b(?!.*\bANALY[SZ]E\b)", re.IGNORECASE)
_WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|MERGE|INTO)\b|\b(nextval|setval|lo_\w+) ?\(", re.IGNORECASE)
_LOCKS = re.compile(r"\bFOR (NO KEY )?UPDATE\b", re.IGNORECASE)
_STEPS = re.compile(r"[()]|\bWHERE\b|(?<!\bDO )(?<!\bTHEN )(?<!\bFOR )(?<!\bKEY )\b(?:UPDATE|DELETE)\b", re.IGNORECASE)
"""What opens and closes a query, what keeps rows out of it, and what changes every row that is not kept from it: not the
branch of an INSERT or MERGE, and not the lock of a SELECT."""

_ENDS = re.compile(r"\bpg_(terminate|cancel)_backend ?\(", re.IGNORECASE)
_FROM = re.compile(r"\bFROM\b", re.IGNORECASE)
_SOME = re.compile(r"\b(WHERE|LIMIT|pg_blocking_pids)\b", re.IGNORECASE)
_BLOCK = re.compile(r"^DO\b", re.IGNORECASE)


def _bare(text: str) -> list[str]:
    """The statements of a text without what does nothing, each with single spaces."""

    def blank(found: re.Match[str]) -> str:
        return " " if found[0].startswith(("--", "/*")) else "''" if "'" in found[0][:2] or "$" in found[0][:1] else "x"

    return [one for part in _APART.sub(blank, text).split(";") if (one := " ".join(part.split()))]


def changes_schema(text: str) -> bool:
    """Whether it changes what there is, or who may do what."""
    return any(_SCHEMA.match(one) for one in _bare(text))


def changes_data(text: str) -> bool:
    """Whether it writes rows, or may: of what is no query nothing is known."""
    return any(
        not _SCHEMA.match(one)
        and not _PLAN.match(one)
        and (not _LOOK.match(one) or _WRITES.search(_LOCKS.sub("", one)) is not None)
        for one in _bare(text)
    )


def ends_sessions(text: str) -> bool:
    """Whether it ends sessions of the database, or what they do."""
    return any(_ENDS.search(one) for one in _bare(text))


def is_limited(text: str) -> bool:
    """Whether everything that it changes or ends is said to be some rows or sessions, and not all of them."""
    return all(_PLAN.match(one) or not (_BLOCK.match(one) or _sweeps(one) or _ends_all(one)) for one in _bare(text))


def _ends_all(one: str) -> bool:
    return bool(_ENDS.search(one) and _FROM.search(one) and not _SOME.search(one))


def _sweeps(one: str) -> bool:
    """Whether something in it changes rows without a WHERE of its own: one of a query within or around is none."""
    open_ = [False]
    for step in _STEPS.finditer(one):
        match step[0].upper():
            case "(":
                open_.append(False)
            case ")":
                if open_.pop():
                    return True
                open_ = open_ or [False]
            case "WHERE":
                open_[-1] = False
            case _:
                open_[-1] = True
    return any(open_)
