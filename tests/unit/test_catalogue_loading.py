"""A catalogue that is wrong says where and why in one line; one that is right follows its topology."""

import sys
import textwrap
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.messages import load_messages
from harness.model import faults
from harness.model.errors import CatalogueError

GOOD = """
    from dataclasses import replace
    from tests.fakes.world import World, scenario
    from harness.model.scenario import Limit
    SCENARIO = replace(scenario(World()), id="FM-T-01", sections=(), limits=())
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "brokencat"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [n for n in sys.modules if n.split(".")[0] == "brokencat"]:
        del sys.modules[name]


def write(folder: Path, text: str, name: str = "fm_t_01_x.py") -> None:
    (folder / name).write_text(textwrap.dedent(text))


def load() -> None:
    load_catalogue("brokencat", load_topology(None))


def test_a_good_one_is_loaded(package: Path) -> None:
    write(package, GOOD)
    load()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import nothing_there", "fm_t_01_x.py:1: ModuleNotFoundError"),
        ("x = (", "fm_t_01_x.py:1: SyntaxError"),
        ("1 / 0", "fm_t_01_x.py:1: ZeroDivisionError"),
        ("import sys\nsys.exit(0)", "fm_t_01_x.py:2: SystemExit"),
        ("X = 1", "has no SCENARIO"),
        (GOOD.replace("sections=()", "sections=('9.9',)"), "there is no section 9.9"),
        (
            GOOD.replace("limits=()", "limits=(Limit('it must', 'hold', 1.0),)"),
            "it must: hold .2 s. is not less than 1",
        ),
        (
            GOOD.replace("limits=()", "settings={('account', 'account.colour'): '1'}"),
            "fm_t_01_x.py: FM-T-01: account has no setting account.colour",
        ),
    ],
)
def test_a_broken_module_is_one_line_with_its_place(package: Path, text: str, says: str) -> None:
    write(package, text)
    with pytest.raises(CatalogueError, match=says) as error:
        load()
    assert "\n" not in str(error.value)


WRONG_NAMES = [
    ('Stop("entitlment")', "names entitlment, which is no part or service; there are .*entitlement, .*postgres"),
    ('Kill("natss")', "names natss, which is no part or service"),
    ('Freeze("acount")', "names acount, which is no part or service"),
    ('Cut("entitlement->natss")', "names entitlement->natss, which is no link; there are .*entitlement->nats"),
    ('Slow("nats->entitlement", 5)', "names nats->entitlement, which is no link"),
    ('Reset("a->b")', "names a->b, which is no link"),
    ('BriefSlowdown("a->b", 1, 1, nothing)', "names a->b, which is no link"),
    ('ChangedSetting("account", "no.such", "1")', "names no.such, which is no setting of account; there are "),
    ('ChangedSetting("acount", "no.such", "1")', "names acount, which is no service; there are "),
    ('BadRelease("account", "9.9")', "names 9.9, which is no release of account; there are 1.0.0, 1.1.0"),
    ('BadRelease("gateway-bff", "9.9")', "names 9.9, which is no release of gateway-bff; there is 1.0.0"),
    ('BadRelease("postgres", "9.9")', "names postgres, which is no service"),
    ('Scaled("redis", 2)', "names redis, which is no service"),
    ('Load("redis", "/", 1, 1, nothing)', "names redis, which is no service"),
    ('RunawayJob("event-replays")', "names event-replays, which is no job; there are .*event-replay"),
    ('Together((Stop("account"), Together((Stop("acount"),))))', "names acount, which is no part or service"),
]
NAMING = """
    from harness.model.faults import *
    from harness.model.scenario import Variant
    async def nothing(observer): pass
    SCENARIO = replace(SCENARIO, fault=Stop("account"))
"""


@pytest.mark.parametrize(("fault", "says"), WRONG_NAMES)
def test_a_fault_with_a_wrong_name_says_where_and_what_there_is(package: Path, fault: str, says: str) -> None:
    for change, label in (
        (f"fault={fault}", "FM-T-01"),
        (f"variants=(Variant('other', {{'fault': {fault}}}),)", "FM-T-01:other"),
    ):
        write(package, f"{GOOD}{NAMING}    SCENARIO = replace(SCENARIO, {change})")
        with pytest.raises(CatalogueError, match=f"fm_t_01_x.py: the fault of {label} {says}") as error:
            load()
        assert "\n" not in str(error.value)
        for name in [n for n in sys.modules if n.split(".")[0] == "brokencat"]:
            del sys.modules[name]


def test_every_kind_of_fault_that_has_a_name_says_so() -> None:
    kinds = [v for v in vars(faults).values() if isinstance(v, type) and hasattr(v, "inject") and is_dataclass(v)]
    naming = {k for k in kinds if {"part", "service", "link", "job", "faults"} & {f.name for f in fields(k)}}
    assert len(naming) == len({fault.split("(")[0] for fault, _ in WRONG_NAMES})
    assert {k for k in naming if not hasattr(k, "names")} == set()


def test_an_id_twice_names_both_places(package: Path) -> None:
    write(package, GOOD)
    write(package, GOOD, "fm_t_02_y.py")
    with pytest.raises(CatalogueError, match=r"FM-T-01 is in .*fm_t_01_x.py and in .*fm_t_02_y.py"):
        load()


def test_a_package_that_is_none(package: Path) -> None:
    with pytest.raises(CatalogueError, match="has no module whose name begins with fm_"):
        load()
    with pytest.raises(CatalogueError, match="there is no module nowhere_at_all"):
        load_catalogue("nowhere_at_all", load_topology(None))
    with pytest.raises(CatalogueError, match="not a package"):
        load_catalogue("textwrap", load_topology(None))


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The path of an installed console script that is called in another folder; it lacks that folder."""
    path = [p for p in sys.path if p and Path(p) != Path.cwd()] + [str(Path(__file__).parents[2])]
    monkeypatch.setattr(sys, "path", path)
    monkeypatch.chdir(tmp_path)
    yield path
    for name in [n for n in sys.modules if n.split(".")[0] == "owncat"]:
        del sys.modules[name]


def test_a_package_of_the_current_folder_is_found_after_every_other(tmp_path: Path, script: list[str]) -> None:
    folder = tmp_path / "owncat"
    (folder / "messages").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "messages" / "ja.toml").write_text('[sentences]\nx = "y"\n')
    write(folder, GOOD)
    installed = list(script)
    assert load_messages("owncat", "ja").tables
    assert list(load_catalogue("owncat", load_topology(None)).scenarios) == ["FM-T-01"]
    assert script == [*installed, str(tmp_path)]


@pytest.mark.parametrize("name", ["owncat", "owncat.inner"])
def test_a_missing_package_says_where_it_is_looked_for(tmp_path: Path, script: list[str], name: str) -> None:
    with pytest.raises(
        CatalogueError, match=f"no module owncat, neither installed nor in the current folder {tmp_path};"
    ):
        load_catalogue(name, load_topology(None))


def test_a_stack_file_that_is_not_there() -> None:
    with pytest.raises(CatalogueError, match="cannot be read"):
        load_topology("/nowhere/topology.toml")


ALERTS = """
    from harness.model.alerts import AnyNew, OverFor
    from harness.model.span import setting
    ALERTS = (AnyNew("new rows", "rows", kind="page"),)
"""
SLIS = """
    from harness.model.slis import Counter, Highest, Query, Sli
    SERIES = {"rows": Query("SELECT count(*) FROM t")}
    SLIS = (Sli("x.rows", "", 0, "count", "rows", Highest("rows")),)
"""


def test_a_catalogue_may_have_indicators_and_alerts(package: Path) -> None:
    write(package, GOOD)
    write(package, SLIS, "slis.py")
    write(package, ALERTS, "alerts.py")
    found = load_catalogue("brokencat", load_topology(None))
    assert [sli.name for sli in found.slis] == ["x.rows"]
    assert [alert.name for alert in found.alerts] == ["new rows"]
    assert list(found.series) == ["rows"]


@pytest.mark.parametrize(
    ("slis", "alerts", "says"),
    [
        ("SERIES = {}", ALERTS, "new rows needs the series rows"),
        (SLIS.replace('Highest("rows")', 'Highest("nothing")'), "ALERTS = ()", "x.rows needs the series nothing"),
        (
            SLIS.replace('Query("SELECT count(*) FROM t")', 'Counter("nobody", "x")'),
            "ALERTS = ()",
            "which is no service",
        ),
        (SLIS, ALERTS.replace("AnyNew(", "OverFor(").replace('"rows",', '"rows", 1, setting("no.such"),'), "no.such"),
        (SLIS, "1 / 0", "ZeroDivisionError"),
    ],
)
def test_indicators_and_alerts_that_cannot_be_are_one_line(package: Path, slis: str, alerts: str, says: str) -> None:
    write(package, GOOD)
    write(package, slis, "slis.py")
    write(package, alerts, "alerts.py")
    with pytest.raises(CatalogueError, match=says) as caught:
        load()
    assert "\n" not in str(caught.value)
