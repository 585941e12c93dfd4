"""Any Markdown runbook can be read; whatever cannot be used is said in one line."""

from pathlib import Path

import pytest

from harness.runbook.encoding import decode
from harness.runbook.parse import MOST_BYTES, Item, digest_of, parse, read
from harness.runbook.queries import examine, query_of, scaled

ENGLISH = """
# Handbook

## 5.1 Logins fail

Failure modes: `FM-AA-01`, `FM-AA-02`

Checks:

1. the log
2. the route
   - on both sides

```sql
SELECT count(*) FROM a.b WHERE t > now() - INTERVAL '10 minutes';
```

First response:

- restore the route

Recovered when:

- logins work

## 6 See also

- [elsewhere](elsewhere.md#there), `docs/other.md`, [here](#51-logins-fail), FM-AA-03
"""

JAPANESE = """
# 手順書

## 5.1 ログインできない

対象障害:
- `FM-AA-01`
- `FM-AA-02`

確認順序:
1. ログ
2. 経路
- 両側とも

確認SQL:
```sql
SELECT count(*) FROM a.b WHERE t > now() - INTERVAL '10 minutes';
```

初期対応:
- 経路を戻す

復旧判定:
- ログインできる

## 6 参照

- [別](elsewhere.md#there)、FM-AA-03
"""


def keys(text: str) -> list[str]:
    book = parse(text)
    return [i.key for c in book.chapters for i in (*c.items, *c.queries)]


def test_both_languages_give_the_same_keys_and_ids() -> None:
    assert keys(ENGLISH) == [
        "5.1/check/1", "5.1/check/2", "5.1/response/1", "5.1/recovery/1", "5.1/sql/1", "6/reference/1",
    ]  # fmt: skip
    assert keys(JAPANESE)[:5] == keys(ENGLISH)[:5]
    assert parse(ENGLISH).ids == parse(JAPANESE).ids == ["FM-AA-01", "FM-AA-02"]


def test_headings_without_numbers_are_known_by_their_place_and_parts_may_be_headings() -> None:
    text = "# Book\n\n## Ways\n\n- a\n\n## Logins fail (FM-AA-01)\n\n### Checks\n\n1. x\n\n### Recovery\n\n- y\n"
    assert keys(text) == ["1/item/1", "2/check/1", "2/recovery/1"]
    assert parse(text).chapters_of("FM-AA-01")[0].title == "Logins fail (FM-AA-01)"


def test_dashes_below_a_numbered_step_belong_to_it() -> None:
    book = parse("## 4 First response\n\n1. look\n- at this\n\n2. act\n- on that\n")
    assert [(i.key, i.text) for i in book.items] == [("4/step/1", "look at this"), ("4/step/2", "act on that")]


@pytest.mark.parametrize(
    ("before", "keys"),
    [("", ["5.1/id/1"]), ("- look\n\nFailure modes:\n", ["5.1/item/1", "5.1/id/1"])],
)
def test_dashes_below_a_numbered_list_of_ids_belong_to_no_step(before: str, keys: list[str]) -> None:
    book = parse(f"# B\n\n## 5.1 X\n\n{before or 'Failure modes:'}\n1. FM-AA-01\n2. FM-AA-02\n\n- see the notes\n")
    assert [i.key for i in book.items] == keys
    assert book.items[-1].text == "see the notes"
    assert book.ids == ["FM-AA-01", "FM-AA-02"]


def test_dashes_below_a_heading_of_their_own_belong_to_no_step() -> None:
    text = "## 5.1 X (FM-AA-01)\n\n### Checks\n\n1. look\n\n### Checks of the log\n\n- read\n"
    assert [(i.key, i.text) for i in parse(text).items] == [("5.1/check/1", "look"), ("5.1/check/2", "read")]


TIGHT = """
# Book

## 5.1 Logins fail

Covers: FM-AA-01
Checks:
1. the log
2. the route,
and both of its sides
{response}
- restore the route
{recovery}
- logins work
"""


@pytest.mark.parametrize(
    ("response", "recovery"),
    [
        ("**Response**", "**Recovery criteria**"),
        ("Response:", "Recovered when:"),
        ("  **First response:**", "__Recovered when__"),
        ("\u521d\u671f\u5bfe\u5fdc\uff1a", "**\u5fa9\u65e7\u5224\u5b9a**\uff1a"),
    ],
)
def test_a_label_that_follows_a_list_without_a_blank_line_ends_it(response: str, recovery: str) -> None:
    text = TIGHT.format(response=response, recovery=recovery)
    book = parse(text)
    wanted = [
        ("5.1/check/1", "the log", 8),
        ("5.1/check/2", "the route, and both of its sides", 9),
        ("5.1/response/1", "restore the route", 12),
        ("5.1/recovery/1", "logins work", 14),
    ]
    assert [(i.key, i.text, i.line) for i in book.items] == wanted
    assert book.ids == ["FM-AA-01"]
    assert parse(text.replace("\n", "\r\n")).items == book.items
    spaced = parse(text.replace(response, f"\n{response}").replace(recovery, f"\n{recovery}"))
    assert [(i.key, i.digest) for i in spaced.items] == [(i.key, i.digest) for i in book.items]


def test_labels_that_follow_dashes_without_a_blank_line_end_them_too() -> None:
    text = "## 5.1 X\nCovers:\n- FM-AA-01\n- FM-AA-02\nChecks:\n- look\n  - closely\nResponse:\n- act\n"
    book = parse(text)
    assert [(i.key, i.text) for i in book.items] == [("5.1/check/1", "look closely"), ("5.1/response/1", "act")]
    assert book.ids == ["FM-AA-01", "FM-AA-02"]


@pytest.mark.parametrize(
    "text",
    [
        "## 5.1 X\n\nChecks:\n\n1. look\n   **Response**\n   - of it\n2. read\n",
        "## 5.1 X\n\nChecks:\n\n1. look\nresponse times rise\n2. read\n",
        "## 5.1 X\n\nChecks:\n\n1. look\n**check** what is in the **log**\n2. read\n",
        "## 5.1 X\n\nChecks:\n\n1. look\n   ```\n   a\n   Response:\n   ```\n2. read\n",
    ],
)
def test_what_only_looks_like_a_label_stays_in_its_item(text: str) -> None:
    assert [i.key for i in parse(text).items][:2] == ["5.1/check/1", "5.1/check/2"]


def test_a_sentence_that_wraps_into_a_word_of_a_label_stays_whole() -> None:
    text = "## 5.1 X\n\nWhoever is on call has to\ncheck one after the other:\n1. a\n"
    assert [i.key for i in parse(text).items] == ["5.1/item/1"]


def test_a_digest_follows_the_words_and_not_their_markup_or_width() -> None:
    assert (
        digest_of("restore `the` route") == digest_of("**restore**  the route") == digest_of("\uff52estore the route")
    )
    assert digest_of("restore the route") != digest_of("restore a route")


def test_a_section_that_comes_twice_is_told() -> None:
    book = parse("## 5.1 A FM-AA-01\n\n- a\n\n## 5.1 B\n\n- b\n")
    assert any("a second section 5.1" in p for p in book.problems)
    assert len({i.key for i in book.items}) == 2


def test_the_keys_of_a_section_that_comes_twice_outlive_lines_above_it() -> None:
    text = "## 5.1 A FM-AA-01\n\n- a\n\n## 5.1 B\n\n- b\n\n## 5.1 C\n\n- c\n"
    keys = [i.key for i in parse(text).items]
    assert keys == [i.key for i in parse(f"# Title\n\nSome words.\n\n{text}").items]
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    "block",
    [
        "```sql\nSELECT 1\n```",
        "```{.sql}\nSELECT 1\n```",
        "```{ .sql .numberLines }\nSELECT 1\n```",
        '```sql title="outbox"\nSELECT 1\n```',
        "```\n-- how many wait\nSELECT 1\n```",
        "```\n/* how many\n   wait */ select 1\n```",
        "> ```sql\n> SELECT 1\n> ```",
        "1. look\n\n- with this:\n\n  ```sql\n  SELECT 1\n  ```",
        "1. look\n\n   ```sql\n   SELECT 1\n   ```",
    ],
)
def test_a_query_is_found_wherever_it_stands(block: str) -> None:
    book = parse(f"## 5.1 A\n\nFailure modes: FM-AA-01\n\nChecks:\n\n{block}\n")
    assert [q.key for q in book.queries] == ["5.1/sql/1"]


@pytest.mark.parametrize("block", ["```\nselection: all\n```", "```bash\nselect x in y\n```", "```\n-- select 1\n```"])
def test_what_only_looks_like_a_query_is_none(block: str) -> None:
    assert parse(f"## 5.1 A FM-AA-01\n\n{block}\n").queries == []


@pytest.mark.parametrize(
    ("label", "part"),
    [
        ("Immediate actions:", "response"),
        ("Recovery steps:", "response"),
        ("\u5fa9\u65e7\u624b\u9806\uff1a", "response"),
        ("Recovery criteria:", "recovery"),
        ("\u5fa9\u65e7\u5224\u5b9a:", "recovery"),
        ("\u78ba\u8a8dSQL:", "sql"),
        ("Whom to call:", "other"),
        ("**Whom to call**", "other"),
        ("See also:", "reference"),
    ],
)
def test_no_bullet_below_a_label_is_lost(label: str, part: str) -> None:
    book = parse(f"## 5.1 A\n\nFailure modes: FM-AA-01\n\n{label}\n\n- one thing\n")
    assert [i.part for i in book.items] == [part]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        (bytes(range(256)) * 40, "binary"),
        (b"\x7fELF\x00\x00\x01" * 50, "binary"),
        (b"# Notes\n\n- nothing to do\n", "lists no failure mode"),
    ],
)
def test_what_cannot_be_used_is_one_line(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "book.md"
    file.write_bytes(content)
    problems = read(file).problems
    assert len(problems) == 1
    assert says in problems[0]
    assert "\n" not in problems[0]


def test_a_huge_file_a_folder_and_nothing_at_all_are_one_line(tmp_path: Path) -> None:
    huge = tmp_path / "huge.md"
    with huge.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert "a runbook has at most" in read(huge).problems[0]
    assert "is no file" in read(tmp_path).problems[0]
    assert "cannot be read" in read(tmp_path / "absent.md").problems[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "shift_jis", "euc_jp"])
def test_japanese_is_read_in_the_encodings_it_comes_in(encoding: str) -> None:
    text, _, problem = decode((JAPANESE * 3).encode(encoding))
    assert problem == ""
    assert "復旧判定" in text


def sql(text: str) -> Item:
    return Item("5.1/sql/1", text, "d", 3)


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("SELEC 1", "broken-sql", "does not parse"),
        ("", "broken-sql", "no statements"),
        ("SELECT 1; SELECT 2", "broken-sql", "2 statements"),
        ("UPDATE a SET b = 1", "writes", "UPDATE"),
        ("WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x", "writes", "DELETE"),
        ("SELECT * INTO b FROM a", "writes", "SELECT INTO"),
        ("SELECT * FROM a FOR UPDATE", "writes", "FOR UPDATE"),
        ("SELECT pg_catalog.pg_terminate_backend(1)", "writes", "pg_terminate_backend"),
        ("SELECT set_config('transaction_read_only', 'off', false)", "writes", "set_config"),
        ("EXPLAIN ANALYZE DELETE FROM a", "writes", "EXPLAIN"),
        ("EXPLAIN ANALYZE SELECT 1", "writes", "EXPLAIN"),
        ("EXPLAIN UPDATE a SET b = 1", "writes", "EXPLAIN"),
        ("SELECT 1" + " + 1" * 30_000, "broken-sql", "120008 characters"),
        ("SELECT INTERVAL '1 day'" + " + 1" * 1_000, "broken-sql", "nested too deeply"),
        ("COPY a TO PROGRAM 'x'", "writes", "COPY"),
        ("DROP TABLE a", "writes", "DROP"),
    ],
)
def test_a_query_that_is_broken_or_would_write_is_never_run(text: str, kind: str, says: str) -> None:
    examined = examine(sql(text))
    assert examined.kind == kind
    assert says in examined.problem
    assert query_of(examined, 0.5) is None


@pytest.mark.parametrize("text", ["EXPLAIN SELECT 1", "SHOW wal_level", "VALUES (1)", "TABLE a"])
def test_other_statements_that_only_read_are_run_too(text: str) -> None:
    assert examine(sql(text)).problem == ""


def test_a_query_that_reads_is_run_as_it_stands_and_scaled() -> None:
    text = "WITH o AS (SELECT 1 FROM s.t) SELECT * FROM o WHERE x < now() - INTERVAL '10 minutes' - '1 day'::interval;"
    examined = examine(sql(text))
    assert (examined.problem, examined.tables) == ("", ("s.t",))
    query = query_of(examined, 0.5)
    assert query is not None
    assert query.text == text.removesuffix(";")
    assert query.scaled is not None
    assert query.scaled.count("* 0.5") == 2
    assert examine(sql(query.scaled)).problem == ""


def test_what_scaling_does_not_change_is_not_run_twice() -> None:
    assert scaled("SELECT 1", 0.5) is None
    assert scaled("SELECT now() - INTERVAL '1 hour'", 1.0) is None
