"""The ten invariants of the reference system, judged on the facts of a whole scenario."""

import hashlib
import uuid
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence

from harness.model.errors import Unreadable
from harness.model.invariants import SAMPLES, Facts, Invariant, Invariants, NothingToJudge, Row, Violation
from harness.model.span import setting
from harness.model.words import counted
from scenarios.facts import ALLOWED, OWNER, SOURCES, TOKEN, in_flight, text
from scenarios.ways import Way, stages, ways

Found = tuple[Sequence[Violation], str]

DRAIN_S = (
    setting("entitlement.outbox.backoff-max") * 1.5
    + setting("entitlement.outbox.publish-timeout")
    + setting("notification.delivery.backoff-max") * 1.5
    + setting("notification.delivery.lease")
    + setting("notification.nats.ack-wait")
    + 5.0
)
"""The longest retry of each stage, a claim that nobody gave back, and a message whose acknowledgement was lost."""


def _entry(facts: Facts) -> Found:
    """I1: only an answer shows what the gateway does: none, and 5xx, say that it is not healthy."""
    asked = [*facts.rows("entry"), *facts.rows("provider")]
    healthy = [r for r in asked if r["status"] is not None and r["status"] < 500]
    if not healthy:
        raise Unreadable(f"the gateway gave no answer to any of {counted(len(asked), 'request')}")
    # By the first look, before anything was broken: a setting that leads people elsewhere is no excuse for it.
    wanted = {r["path"]: r.get("wanted_host") for r in reversed(asked)}
    wrong = [r for r in healthy if r["status"] != 302 or not _leads(r, wanted[r["path"]])]
    return [
        Violation(r["path"], f"answered {r['status']}, to {_whole(r) or 'nowhere'}", (_at(r),)) for r in wrong
    ], f"{counted(len(healthy), 'answer')} of {counted(len(asked), 'request')}"


def _whole(row: Row) -> str:
    return f"{row.get('host') or ''}{row['location']}"


def _leads(row: Row, host: str | None) -> bool:
    """From the entry to the authorization, from there to the provider's own page; hosts were not always recorded."""
    if row.get("host") != host:
        return False
    if row["path"] == "/login":
        return bool(row["location"] == "/oauth2/authorization/keycloak")
    return str(row["location"]).endswith("/protocol/openid-connect/auth")


def _active(facts: Facts) -> Found:
    """I2: by what the answer says, and by whom the database had suspended before and after it."""
    asked = facts.rows("asked_me")
    if not asked:
        raise NothingToJudge("nobody asked /v1/me with success")
    looks = _taken(facts, "suspended")
    rows = facts.rows("suspended")
    seen = [{r["user"] for r in rows if look["at_s"] <= r["at_s"] <= look["until_s"]} for look in looks]
    begun, done = [look["at_s"] for look in looks], [look["until_s"] for look in looks]
    found = []
    for me in asked:
        says = me["status"]
        before, after = bisect_right(done, me["sent_s"]) - 1, bisect_left(begun, me["ended_s"])
        around = seen[before] & seen[after] if before >= 0 and after < len(looks) else set()
        if says not in {"ACTIVE", None} or me["user"] in around:
            history = (f"{me['sent_s']:.2f} s asked", f"{me['ended_s']:.2f} s answered 200")
            found.append(
                Violation(me["user"], f"/v1/me succeeded for an account that is {says or 'SUSPENDED'}", history)
            )
    times = len(looks) if found else _looks(facts, "suspended")
    return found, f"{counted(len(asked), 'answer')} of /v1/me, {counted(times, 'look')} at who is suspended"


def _refused(kind: str, what: str) -> Callable[[Facts], Found]:
    def check(facts: Facts) -> Found:
        asked = [r for r in facts.rows("boundaries") if r["kind"] == kind and r["expected"] != ALLOWED]
        answered = [r for r in asked if r["status"] is not None and r["status"] < 500]
        if not answered:
            raise Unreadable(f"account gave no answer to any of {counted(len(asked), 'request')}")
        open_ = [r for r in answered if r["status"] not in {401, 403}]
        return [
            Violation(r["says"], f"{what} was let through: {r['status']} {r['code'] or ''}".rstrip(), (_at(r),))
            for r in open_
        ], f"{counted(len(answered), 'request')} that must be refused"

    return check


def _one_user(facts: Facts) -> Found:
    """I4: at every moment the user that follows from the identity's name."""
    rows = facts.rows("identities")
    if not rows:
        raise NothingToJudge("there are no identities")
    found = []
    for row in rows:
        name = f"{row['provider']}:{row['subject']}"
        digest = hashlib.md5(name.encode(), usedforsecurity=False).digest()
        wanted = str(uuid.UUID(bytes=digest, version=3))
        if row["user"] != wanted:
            found.append(Violation(name, f"belongs to {row['user']}, not to {wanted}", (_at(row),)))
    return found, counted(len({(r["provider"], r["subject"]) for r in rows}), "identity", "identities")


def _once(facts: Facts) -> Found:
    """I5: one state change, one notification, and no send beside, after or under another name than one of the same id."""
    known = ways(facts)
    done = {r["key"]: r for r in facts.rows("commands")}
    found = [
        Violation(
            r["key"], f"{r['op']} was accepted, but nothing is on record of it", (text(r, "op", "sent_s", "status"),)
        )
        for r in facts.rows("requests")
        if r["status"] == 200 and r["key"] not in done
    ]
    found += _state_changes(facts)
    for way in known.values():
        if len(way.notifications) > 1:
            found.append(way.violation(f"{counted(len(way.notifications), 'notification')} for one event"))
        if way.origin and way.processed and not way.notifications:
            found.append(way.violation("processed, but there is no notification"))
        found += [way.violation(says) for says in _sends_too_many(way)]
    repeats = sum(way.repeats for way in known.values())
    return found, f"{counted(len(known), 'event id')}, {counted(repeats, 'repeat')} with an unknown outcome"


def _state_changes(facts: Facts) -> list[Violation]:
    """A command changes the state, writes its audit and its outbox row together: as many of each."""
    results = {"ACTIVE": "GRANT", "REVOKED": "REVOKE"}
    types = {"EntitlementGranted": "GRANT", "EntitlementRevoked": "REVOKE"}
    commands = Counter((r["aggregate"], results[r["result"]]) for r in facts.rows("commands"))
    audits = Counter({(r["aggregate"], r["action"]): r["count"] for r in facts.rows("audits")})
    events = Counter((r["aggregate"], types[r["type"]]) for r in facts.rows("outbox"))
    # Whatever is on record of a change: one that nobody commanded has no command to go by.
    return [
        Violation(
            aggregate,
            f"{counted(commands[aggregate, action], f'{action} command')}, "
            f"{counted(audits[aggregate, action], 'audit record')}, {counted(events[aggregate, action], 'outbox row')}",
        )
        for aggregate, action in dict.fromkeys((*commands, *audits, *events))
        if not commands[aggregate, action] == audits[aggregate, action] == events[aggregate, action]
    ]


def _sends_too_many(way: Way) -> list[str]:
    names = {d["notification_id"] for d in way.sends}
    if len(names) > 1:
        return [f"sent under {counted(len(names), 'notification id')}"]
    said = []
    for first, second in way.pairs():
        if way.overlap(first, second):
            said.append("a second send began while the first still had a caller waiting")
    sent = min((n["sent"] for n in way.notifications if n["sent"] is not None), default=None)
    if sent is not None and any(d["arrived_at"] > sent for d in way.sends):
        said.append("a send began after the success of another was on record")
    return said


def _ended(facts: Facts) -> Found:
    """I6: from the accepted command to the destination; nothing is lost on the way and nothing is left on it."""
    if facts.course.drained is None:
        raise Unreadable("whether everything in flight has ended cannot be known")
    known = ways(facts)
    found = [way.violation(lack) for way in known.values() if (lack := way.lacks()) is not None]
    ended = {(r["stream"], r["seq"]) for r in facts.rows("terminated")}
    found += [
        Violation(f"{r['stream']}/{r['seq']}", "a message without an event id was neither processed nor recorded", ())
        for r in facts.rows("messages")
        if r["event_id"] is None and (r["stream"], r["seq"]) not in ended
    ]
    try:
        found += _without_match(facts)
    except Unreadable:
        if not found:  # what is broken is so whatever else cannot be known
            raise
    return found, f"{counted(sum(way.origin for way in known.values()), 'event id')} from origin to end"


def _without_match(facts: Facts) -> list[Violation]:
    """Matches that only their tickets speak of any more: nobody can be told of them, and no event id shows it.

    While pairs wait still, the next match may be made between the two readings, so nothing is said then.
    """
    known = {r["match_id"] for r in facts.rows("matches")}
    matched: dict[str, list[Row]] = {}
    for ticket in facts.rows("tickets"):
        if ticket["status"] == "MATCHED" and ticket["match_id"] not in known and facts.course.drained:
            matched.setdefault(ticket["match_id"] or ticket["ticket"], []).append(ticket)
    return [
        Violation(
            match_id,
            f"MATCHED by {counted(len(rows), 'ticket')}, but there is no record of the match",
            tuple(f"ticket: {text(r, 'ticket', 'user', 'mode', 'status')}" for r in rows),
        )
        for match_id, rows in matched.items()
    ]


def _taken(facts: Facts, source: str) -> list[Row]:
    """The looks at which an often-read source was read."""
    return [s for s in facts.rows(SAMPLES) if source not in str(s["unread"]).split(",")]


def _looks(facts: Facts, source: str) -> int:
    """How often an often-read source was read; raises Unreadable when it never was."""
    looks = len(_taken(facts, source))
    if not looks:
        raise Unreadable(f"{source} was never read")
    return looks


def _together(facts: Facts) -> Found:
    """I7: at every look while the scenario went on, and at its end."""
    looks = _looks(facts, "apart")
    rows = {r["notification_id"]: r for r in facts.rows("apart")}
    found = [
        Violation(
            i, f"{r['status'] or 'no notification'} {'with' if r['in_dlq'] else 'without'} a row in the DLQ", (_at(r),)
        )
        for i, r in rows.items()
    ]
    in_dlq = {r["notification_id"] for r in facts.rows("dlq")}
    failed = {r["notification_id"] for r in facts.rows("notifications") if r["status"] == "FAILED"}
    found += [
        Violation(i, "FAILED without a row in the DLQ, at the end", ()) for i in sorted(failed - in_dlq - rows.keys())
    ]
    found += [
        Violation(i, "in the DLQ without being FAILED, at the end", ()) for i in sorted(in_dlq - failed - rows.keys())
    ]
    return found, f"{counted(looks, 'look')}, {len(failed)} FAILED and {len(in_dlq)} in the DLQ at the end"


def _no_part(facts: Facts) -> Found:
    """I8: rows whose fields belong to two owners at once, and two owners who send at once."""
    rows = {(r["table"], r["id"]): r for r in facts.rows("torn")}
    found = [Violation(i, f"{t} {r['status']} with {r['says']}", (_at(r),)) for (t, i), r in rows.items()]
    for way in ways(facts).values():
        both = [1 for first, second in way.pairs() if way.overlap(first, second)]
        if both:
            found.append(way.violation(f"two owners sent it at once, {counted(len(both), 'time')}"))
    return found, f"{counted(_looks(facts, 'torn'), 'look')} at claims and marks"


def _on_record(facts: Facts) -> Found:
    """I10: at every look, so that a status put wrong is found although it was put right later."""
    looks = _looks(facts, "misrecorded")
    seen: dict[str, list[Row]] = {}
    for row in facts.rows("misrecorded"):
        seen.setdefault(row["user"], []).append(row)
    return [
        Violation(
            user,
            f"{rows[0]['status']}, but {_last_action(rows[0])}, at {len(rows)} of {counted(looks, 'look')}",
            tuple(f"{_at(r)}: {r['status']}, {_last_action(r)}" for r in (rows[0], *rows[1:][-1:])),
        )
        for user, rows in seen.items()
    ], f"{counted(looks, 'look')} at accounts and their last audit records"


def _last_action(row: Row) -> str:
    return f"its last audit record says {row['action']}" if row["action"] else "it has no audit record"


def _at(row: Row) -> str:
    return f"seen at {row['at_s']:.2f} s" + (f" ({row['moment']})" if row.get("moment") else "")


INVARIANTS = Invariants(
    SOURCES,
    (
        Invariant("I1", "/login answers 302 to the provider when healthy", _entry),
        Invariant("I2", "/v1/me succeeds only for ACTIVE accounts", _active),
        Invariant("I3", "account's internal API never succeeds without a valid token", _refused(TOKEN, "a call")),
        Invariant("I4", "an identity ends at one user id", _one_user),
        Invariant("I5", "an event id takes effect once", _once),
        Invariant("I6", "every event ends SENT or FAILED, none is lost", _ended, only_over=True),
        Invariant("I7", "the DLQ row and FAILED are written together", _together),
        Invariant("I8", "losing a lock leaves no partial side effect", _no_part),
        Invariant("I9", "nobody reads or changes another's account without ADMIN", _refused(OWNER, "a stranger")),
        Invariant("I10", "an account's status is what its last audit record says", _on_record),
    ),
    stages,
    in_flight,
    DRAIN_S,
)
