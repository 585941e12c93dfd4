"""Shards joined: every scenario keeps its own clock and its own logs, whichever machine it ran on."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.fronts.merging import merged
from harness.model import events as ev
from harness.model.errors import InfrastructureError, UsageError
from harness.report import html, journal, record
from harness.report.lang import Messages
from harness.report.postmortem import markdown
from tests.fakes.world import World, play


async def shard(folder: Path, label: str, at: str, said: str, *, seed: int = 1, part: str = "") -> Path:
    """A shard of one scenario in `cell-1`, whose log says something while it responds."""
    played = [replace(e, scenario=label) for e in (await play(World()))[1]]
    start = ev.RunStarted(0.0, None, folder.name, at, seed, "process", "ci", "timeline", [label], shard=part)
    acted = next(e.t for e in played if isinstance(e, ev.Stepped))
    events = [start, ev.CellReady(0.1, label, "cell-1", 0.1), *played, ev.RunFinished(99.0, None, at)]
    home = folder / "logs" / "cell-1"
    home.mkdir(parents=True)
    (folder / journal.JOURNAL).write_text("".join(ev.to_line(e) + "\n" for e in events))
    stamp = f"{at[:14]}{int(at[14:16]) + int(acted // 60):02}:{acted % 60:06.3f}+00:00"
    (home / "front.log").write_text(json.dumps({"@timestamp": stamp, "severity": "WARNING", "message": said}) + "\n")
    return folder


async def test_a_merged_report_shows_the_log_lines_of_every_shard(tmp_path: Path) -> None:
    one = await shard(tmp_path / "a", "FM-X-01", "2026-01-01T00:00:00+00:00", "said by the first")
    other = await shard(tmp_path / "b", "FM-X-02", "2026-01-01T00:20:00+00:00", "said by the second")
    found = merged([one, other], tmp_path / "reports")
    folder, code = found.folder, found.exit_code
    found = html.render(folder, Messages()).decode()
    assert code == 0
    assert found.count("said by the first") == 1
    assert found.count("said by the second") == 1
    assert found.index("FM-X-02</code>") < found.index("said by the second")


async def test_a_merged_postmortem_tells_the_time_of_day_of_its_shard(tmp_path: Path) -> None:
    one = await shard(tmp_path / "a", "FM-X-01", "2026-01-01T00:00:00+00:00", "")
    other = await shard(tmp_path / "b", "FM-X-02", "2026-01-01T07:20:00+00:00", "")
    folder = merged([one, other], tmp_path / "reports").folder
    run = record.of(journal.read(folder / journal.JOURNAL))
    said = [markdown(run, s) for s in run.scenarios]
    assert "2026-01-01 00:0" in said[0]
    assert "2026-01-01 07:2" in said[1]


async def test_a_shard_that_holds_a_secret_does_not_pass_it_on(tmp_path: Path) -> None:
    one = await shard(tmp_path / "a", "FM-X-01", "2026-01-01T00:00:00+00:00", "")
    told = (one / journal.JOURNAL).read_text()
    (one / journal.JOURNAL).write_text(told + ev.to_line(ev.Noted(9.0, "FM-X-01", "postgres://a:hunter2@db")) + "\n")
    found = merged([one], tmp_path / "reports")
    run, folder = found.record, found.folder
    assert any("postgres://a:***db" in note for s in run.scenarios for note in s.notes)
    for file in folder.rglob("*.*"):
        assert b"hunter2" not in file.read_bytes(), file


async def test_a_shard_without_logs_is_noted_and_changes_no_verdict(tmp_path: Path) -> None:
    one = await shard(tmp_path / "a", "FM-X-01", "2026-01-01T00:00:00+00:00", "")
    other = await shard(tmp_path / "b", "FM-X-02", "2026-01-01T00:20:00+00:00", "")
    (other / "logs" / "cell-1" / "front.log").unlink()
    (other / "logs" / "cell-1").rmdir()
    (other / "logs").rmdir()
    found = merged([one, other], tmp_path / "reports")
    run, code = found.record, found.exit_code
    assert code == 0
    assert run.notes == ["the shard b has no logs"]


async def test_runs_that_are_no_shards_of_one_run_are_refused(tmp_path: Path) -> None:
    one = await shard(tmp_path / "a", "FM-X-01", "2026-01-01T00:00:00+00:00", "")
    other = await shard(tmp_path / "b", "FM-X-02", "2026-01-01T00:20:00+00:00", "", seed=2)
    with pytest.raises(UsageError, match="has seed 2, not 1"):
        merged([one, other], tmp_path / "reports")


async def test_shards_that_are_merged_again_are_there_once(tmp_path: Path) -> None:
    one = await shard(tmp_path / "a", "FM-X-01", "2026-01-01T00:00:00+00:00", "said by the first")
    other = await shard(tmp_path / "b", "FM-X-02", "2026-01-01T00:20:00+00:00", "said by the second")
    folder = merged([one, other], tmp_path / "reports").folder
    first = (folder / journal.JOURNAL).read_bytes()
    (folder / f".{journal.JOURNAL}.new").write_text("left by a merge that was killed\n")
    found = merged([one, other], tmp_path / "reports")
    run, again, code = found.record, found.folder, found.exit_code
    assert (again, code) == (folder, 0)
    assert (folder / journal.JOURNAL).read_bytes() == first
    read = record.of(journal.read(folder / journal.JOURNAL))
    assert [s.label for s in read.scenarios] == [s.label for s in run.scenarios] == ["FM-X-01", "FM-X-02"]
    assert [len(s.findings) for s in read.scenarios] == [1, 1]
    assert not (folder / f".{journal.JOURNAL}.new").exists()


async def test_logs_of_an_earlier_merge_of_other_shards_do_not_stay(tmp_path: Path) -> None:
    one = await shard(tmp_path / "a", "FM-X-01", "2026-01-01T00:00:00+00:00", "")
    other = await shard(tmp_path / "b", "FM-X-02", "2026-01-01T00:20:00+00:00", "")
    third = await shard(tmp_path / "c", "FM-X-03", "2026-01-01T00:40:00+00:00", "")
    (other / "logs" / "cell-1" / "back.log").touch()
    merged([one, other], tmp_path / "reports")
    folder = merged([one, third], tmp_path / "reports").folder
    assert [p.name for p in (folder / "logs" / "shard-2-cell-1").iterdir()] == ["front.log"]


async def test_a_merge_that_cannot_be_written_leaves_the_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await shard(tmp_path / "a", "FM-X-01", "2026-01-01T00:00:00+00:00", "")
    other = await shard(tmp_path / "b", "FM-X-02", "2026-01-01T00:20:00+00:00", "")
    folder = merged([one, other], tmp_path / "reports").folder
    before = (folder / journal.JOURNAL).read_bytes()

    def full(self: journal.Journal, _event: ev.Event) -> None:
        self.failed = f"{self.path} could not be written: No space left on device"

    monkeypatch.setattr(journal.Journal, "write", full)
    with pytest.raises(InfrastructureError, match="No space left on device"):
        merged([one, other], tmp_path / "reports")
    assert (folder / journal.JOURNAL).read_bytes() == before


async def test_a_claim_that_is_not_known_here_is_one_line_and_nothing_is_written(tmp_path: Path) -> None:
    one = await shard(tmp_path / "a", "FM-X-01", "2026-01-01T00:00:00+00:00", "")
    file = one / journal.JOURNAL
    file.write_text(file.read_text().replace('"claim":"PROVEN"', '"claim":"MAYBE"'))
    with pytest.raises(UsageError, match="claims MAYBE, which this gameday does not know"):
        merged([one], tmp_path / "reports")
    assert not (tmp_path / "reports").exists()


def test_a_folder_without_a_run_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nope is no run's folder: it has no journal.jsonl; name the folders of the"):
        merged([tmp_path / "nope"], tmp_path / "reports")
    assert not (tmp_path / "reports").exists()


async def test_a_shard_that_is_missing_is_told_and_nothing_is_proven_of_the_whole(tmp_path: Path) -> None:
    at = "2026-01-01T00:00:00+00:00"
    one, two, three = [await shard(tmp_path / f"{n}", f"FM-X-0{n}", at, "", part=f"{n}/3") for n in (1, 2, 3)]
    assert merged([one, two, three], tmp_path / "reports").exit_code == 0
    found = merged([three, one], tmp_path / "reports")
    assert (found.exit_code, found.notes) == (3, ["the shard 2/3 is missing"])
    assert "the shard 2/3 is missing" in (found.folder / journal.JOURNAL).read_text()


async def test_shards_are_named_once_and_of_one_split(tmp_path: Path) -> None:
    at = "2026-01-01T00:00:00+00:00"
    one, again, other, whole = [
        await shard(tmp_path / name, f"FM-X-0{n}", at, "", part=part)
        for n, (name, part) in enumerate((("a", "1/2"), ("b", "1/2"), ("c", "2/3"), ("d", "")))
    ]
    for folders, says in (
        ([one, again], "are both shard 1/2; name each shard once"),
        ([one, other], "different splits: 1/2, 2/3"),
        ([one, whole], "d is a whole run, and .*a a shard of one"),
        ([whole, one], "d is a whole run, and .*a a shard of one"),
    ):
        with pytest.raises(UsageError, match=says):
            merged(folders, tmp_path / "reports")


async def test_what_is_wrong_with_the_journal_of_a_shard_is_noted(tmp_path: Path) -> None:
    one = await shard(tmp_path / "a", "FM-X-01", "2026-01-01T00:00:00+00:00", "")
    with (one / journal.JOURNAL).open("a") as file:
        file.write('{"v":99,"kind":"claim","t":1,"scenario":"FM-X-01"}\nno event\n')
    assert merged([one], tmp_path / "reports").notes == [
        "the shard a: 1 line is no event and was passed over, the first is line " + str(len(lines(one))),
        "the shard a: lines of other versions were passed over: 99",
    ]
    (one / journal.JOURNAL).write_text((one / journal.JOURNAL).read_text().replace('"v":1', '"v":99'))
    with pytest.raises(UsageError, match="is a journal of version 99"):
        merged([one], tmp_path / "reports")


def lines(folder: Path) -> list[str]:
    return (folder / journal.JOURNAL).read_text().splitlines()
