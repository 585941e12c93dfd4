"""The topology file: what it says, and one clear line for what is wrong in it."""

from dataclasses import replace

import pytest

from harness.fronts.catalogue import load_topology
from harness.model.errors import CatalogueError
from harness.model.topology import duration_s, parse, variable
from tests.fakes.world import TOPOLOGY


@pytest.fixture(scope="module")
def reference():  # type: ignore[no-untyped-def]
    return load_topology(None)


def test_durations_and_variables() -> None:
    assert [duration_s(t) for t in ("200ms", "30s", "2m", "1h", "30d")] == [0.2, 30, 120, 3600, 2592000]
    assert variable("entitlement.outbox.poll-interval") == "ENTITLEMENT_OUTBOX_POLLINTERVAL"
    assert variable("ACCOUNT_BASE_URL") == "ACCOUNT_BASE_URL"
    with pytest.raises(CatalogueError, match="no duration"):
        duration_s("3 minutes")


def test_the_reference_stack_has_every_arrow_and_setting(reference) -> None:  # type: ignore[no-untyped-def]
    assert "entitlement->nats" in reference.links
    assert len(reference.links) == len(set(reference.links)) == 16
    assert reference.setting("entitlement", "entitlement.outbox.lease").values["ci"] == "3s"
    for known in reference.settings:
        assert set(known.values) == set(reference.profiles), known.name


def test_scaled_settings_follow_the_profile(reference) -> None:  # type: ignore[no-untyped-def]
    realistic, ci = reference.numbers("realistic"), reference.numbers("ci")
    for known in reference.settings:
        if known.scaled:
            assert ci[known.name] < realistic[known.name], known.name
        elif known.unit == "duration" and "timeout" in known.name:
            assert ci[known.name] * 5 > realistic[known.name], known.name


def test_secrets_differ(reference) -> None:  # type: ignore[no-untyped-def]
    assert len(set(reference.secrets.values())) == len(reference.secrets)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("[stack]", "[stack"), "no valid TOML"),
        (('entry = "front"', 'entry = "back"'), "the entry back is no service"),
        (('front = ["store"]', 'front = ["shop"]'), "unknown server"),
        (('front = ["store"]', 'back = ["store"]'), "unknown client"),
        (("[parts.store]", "[part.store]"), "parts"),
    ],
)
def test_what_is_wrong_is_one_line(change: tuple[str, str], says: str) -> None:
    with pytest.raises(CatalogueError, match=says) as error:
        parse(TOPOLOGY.replace(*change), "/nowhere")
    assert "\n" not in str(error.value)


def test_an_inequality_that_does_not_hold_names_itself() -> None:
    text = (
        TOPOLOGY
        + '\n[[inequalities]]\nsays = "it ends in time"\nless = [["front.timeout", 2.0]]\nthan = [["front.timeout", 1.0]]\n'
    )
    with pytest.raises(CatalogueError, match="it ends in time: 2 is not less than 1"):
        parse(text, "/nowhere")


def test_names_that_are_not_there_are_refused(reference) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CatalogueError, match="there is no link a->b"):
        reference.server("a->b")
    with pytest.raises(CatalogueError, match="has no setting"):
        reference.setting("entitlement", "entitlement.colour")
    with pytest.raises(CatalogueError, match="has no release"):
        reference.services["account"].module_of("9.9")
    with pytest.raises(CatalogueError, match="not known"):
        reference.fill("{nobody.host}", {})


def test_a_module_tells_the_release_that_is_nearest_to_it() -> None:
    account = load_topology(None).services["account"]
    nested = replace(account, module="a.account", release="1", releases={"2": "a.account.next", "3": "a.account_3"})
    told = {m: nested.release_of(m) for m in ("a.account.app", "a.account.next", "a.account_3", "a.accounts", "other")}
    assert list(told.values()) == ["1", "2", "3", None, None]
    assert account.release_of(account.releases["1.2.0"]) == "1.2.0"
