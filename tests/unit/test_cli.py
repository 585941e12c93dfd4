"""The command line: help that can be read aloud, and one clear line for everything that is asked wrongly."""

from pathlib import Path

import pytest

from harness.fronts import cli


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main.main(list(arguments), prog_name="gameday")
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out, said.err


@pytest.mark.parametrize("command", sorted({*cli.main.commands, *cli.LATER}))
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], command: str) -> None:
    code, out, _ = called(capsys, command, "--help")
    assert code == 0
    assert out.startswith(f"Usage: gameday {command}")
    assert max(len(line) for line in out.splitlines()) <= 100
    assert "\\b" not in out


@pytest.mark.parametrize("command", ["run", "show"])
def test_the_help_says_that_an_id_may_name_a_variant(capsys: pytest.CaptureFixture[str], command: str) -> None:
    _, out, _ = called(capsys, command, "--help")
    assert "ID may name a variant: FM-OB-01:black-hole" in out


@pytest.mark.parametrize("command", ["compare", "coverage", "doctor", "drill", "judge", "merge", "ops", "run"])
def test_the_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str], command: str) -> None:
    _, out, _ = called(capsys, command, "--help")
    assert "exit code" in out.lower()


@pytest.mark.parametrize("command", ["day", "drill", "schedule", "schedule run", "schedule emit"])
def test_help_fits_a_terminal_and_breaks_no_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = called(capsys, *command.split(), "--help")
    assert code == 0
    assert [line for line in out.splitlines() if len(line) > 80] == []
    assert [line for line in out.splitlines() if line.endswith("-")] == []


def test_help_points_to_where_things_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert "  docs/examples/game-day.yaml is one.\n" in called(capsys, "day", "--help")[1]
    _, out, _ = called(capsys, "drill", "--help")
    assert "How hard; see above." in out
    assert out.index("Level 2 adds") < out.index("How hard")


def test_the_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = called(capsys, "--help")
    assert "gameday run FM-OB-01" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "FM-ZZ-99"), "there is no scenario FM-ZZ-99"),
        (("run", "--section", "9.9"), "no scenario belongs to section 9.9"),
        (("run", "--profile", "slow"), "there is no profile slow; there are realistic, ci"),
        (("run", "--arm", "leg"), "there is no arm leg"),
        (("run", "--jobs", "0"), "--jobs is a number"),
        (("run", "--shard", "3/2", "--seed", "1"), "--shard is i/n"),
        (("run", "--shard", "1/2"), "--shard needs --seed"),
        (("run", "--repeat", "2", "--json", "x.json"), "with --repeat each run has its own"),
        (("run", "--repeat", "0"), "--repeat"),
        (("run", "--catalogue", "nowhere"), "there is no module nowhere"),
        (("run", "--stack", "/nowhere.toml"), "cannot be read"),
        (("run", "--runtime", "cloud"), "cloud"),
        (("run", "--colour"), "--colour"),
        (("list", "--profile", "nope"), "there is no profile nope; there are realistic, ci"),
        (("show", "FM-ZZ-99"), "there is no scenario"),
        (("down", "--name", "nobody"), "no stack nobody is up"),
        (("up", "--name", "../x"), "is no name"),
        (("frobnicate",), "frobnicate"),
    ],
)
def test_wrong_use_is_one_line_and_2(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    says: str,
) -> None:
    monkeypatch.setenv("GAMEDAY_STATE", str(tmp_path))
    code, _, err = called(capsys, *arguments)
    assert code == 2
    assert says in err
    assert "Traceback" not in err


def test_list_and_show_come_from_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, "list", "--section", "5.6")
    assert code == 0
    assert out.startswith("FM-")
    code, out, _ = called(capsys, "show", "FM-OB-01")
    assert code == 0
    assert "Set entitlement's route to NATS back" in out
    assert max(len(line) for line in out.splitlines() if not line.startswith("code")) <= 110


def test_a_summary_is_set_in_the_lines_of_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = called(capsys, "show", "FM-NOTI-03")
    summary = out.split("=\n", 1)[1].split("\nrunbook ", 1)[0].splitlines()
    assert summary[1] == "there.", "a paragraph begins and goes on at the left"
    assert any(line.startswith(" " * 10) and line[10] != " " for line in summary), (
        "what has a head stays under its text"
    )
    assert "costs\nits 40 ms" in out, "the source's own lines are joined"
    _, out, _ = called(capsys, "show", "FM-NOTI-03", "--lang", "ja")
    assert "諦めた分にも 40 ms" in out
    assert "タイム\nアウト" in out


@pytest.mark.parametrize(("debug", "lines"), [("", 1), ("1", None)])
def test_what_nobody_foresaw_is_one_line_and_never_taken_for_something_refuted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, debug: str, lines: int | None
) -> None:
    def breaks(*_: object) -> None:
        raise KeyError("half\na word")

    monkeypatch.setenv(cli.DEBUG, debug)
    monkeypatch.setattr("harness.fronts.show.text_of", breaks)
    code, out, err = called(capsys, "show", "FM-OB-01")
    assert (code, out) == (3, "")
    last = err.splitlines()[-1]
    assert last.startswith("gameday: show broke in a way that nobody foresaw: KeyError: ")
    assert last.endswith("(GAMEDAY_DEBUG=1 shows where)") is not bool(debug)
    assert ("Traceback" in err) is bool(debug)
    assert lines is None or len(err.splitlines()) == lines
