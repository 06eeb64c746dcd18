"""Who is on a DL/T 645 line, over real TCP."""

from dataclasses import replace

import pytest

from custom_components.carbon_meter.metering.dlt645.frames import ANYBODY, READ_ADDRESS, Frame
from custom_components.carbon_meter.metering.dlt645.identification import (
    _Search,
    identify_dlt645,
    identify_dlt645_at,
    read_dlt645_as,
)
from custom_components.carbon_meter.metering.dlt645.line import Dlt645Line, Heard
from custom_components.carbon_meter.metering.errors import (
    MeterRejectedError,
    MeterSilentError,
    MeterUnreachableError,
)
from hardware.virtual.dlt645 import Dlt645Spec, LineFault

WINDOW = 0.05
SHORT = 0.02


@pytest.fixture
def three(dlt645) -> Dlt645Spec:
    return Dlt645Spec(address="202000001234", profile=dlt645["dlt645_three_phase"])


@pytest.fixture
def single(dlt645) -> Dlt645Spec:
    return Dlt645Spec(address="000000000161", profile=dlt645["dlt645_single_phase"])


@pytest.mark.parametrize("family", ["three", "single"])
async def test_a_single_meter_is_found_at_once(wire, connect, dlt645, family, request) -> None:
    spec = replace(request.getfixturevalue(family), model="DTZY341")
    gateway = await wire(spec)

    found = await identify_dlt645(connect(gateway), dlt645.values(), lambda: 1234.5, window=WINDOW)

    (candidate,) = found.candidates
    assert candidate.profile is spec.profile
    assert candidate.serial == spec.address
    assert candidate.settings == {"address": spec.address}
    assert candidate.certain
    assert candidate.model == "DTZY341"
    assert candidate.reading.values == gateway.meters[spec.address].shown_values()
    assert candidate.reading.time == 1234.5
    assert found.seen == (f"meter {spec.address}",)
    assert gateway.questions[0].address == "AAAAAAAAAAAA"


async def test_a_meter_that_does_not_tell_its_address_answers_to_any(
    wire, connect, dlt645, three
) -> None:
    gateway = await wire(replace(three, tells_address=False))

    found = await identify_dlt645(connect(gateway), dlt645.values(), window=WINDOW)

    assert [candidate.serial for candidate in found.candidates] == [three.address]


@pytest.mark.parametrize(("told", "found"), [("340012000020", ["200000120034"]), ("3412", [])])
async def test_a_meter_may_tell_its_address_in_the_data_only(told, found) -> None:
    class Line(Dlt645Line):
        async def ask_all(self, address, control, data=b"", *, seconds) -> Heard:
            frame = Frame(address=ANYBODY, control=0x93, data=bytes.fromhex(told))
            return Heard(frames=(frame,), noise=0)

    search = _Search(Line("", 0), WINDOW, lambda _: None)
    await search._ask(ANYBODY, READ_ADDRESS)

    assert search.found == found


async def test_several_meters_are_searched_for_by_their_last_digits(
    wire, connect, dlt645, three, single
) -> None:
    """Two of them end with the same two digits and collide once more."""
    specs = [single, three, replace(three, address="202000005634"), replace(three, model="X9")]
    specs[3] = replace(specs[3], address="999999999900")
    gateway = await wire(*specs)
    steps: list[float] = []

    found = await identify_dlt645(
        connect(gateway), dlt645.values(), window=SHORT, progress=steps.append
    )

    assert {candidate.serial: candidate.profile.id for candidate in found.candidates} == {
        spec.address: spec.profile.id for spec in specs
    }
    assert all(candidate.certain for candidate in found.candidates)
    assert steps == sorted(steps)
    assert steps[0] == 0.0
    assert steps[-1] == 1.0
    # All, each of 100 endings, and 100 longer ones of the ending that two share.
    assert sum(question.address.startswith("AA") for question in gateway.questions) == 201


async def test_a_crackle_before_the_answer_starts_no_search(wire, connect, dlt645, single) -> None:
    gateway = await wire(single)
    gateway.misbehave(LineFault.NOISE)

    found = await identify_dlt645(connect(gateway), dlt645.values(), window=WINDOW)

    assert [candidate.serial for candidate in found.candidates] == [single.address]
    assert gateway.questions[1].address == single.address


async def test_a_meter_that_cannot_be_read_is_named(wire, connect, dlt645, single) -> None:
    gateway = await wire(replace(single, missing=frozenset(single.profile.quantities)))

    found = await identify_dlt645(connect(gateway), dlt645.values(), window=WINDOW)

    assert found.candidates == ()
    assert found.seen[0] == f"meter {single.address}"
    assert "none of the data" in found.seen[1]


async def test_an_empty_line(wire, connect, dlt645) -> None:
    with pytest.raises(MeterSilentError, match="no meter answers on this line"):
        await identify_dlt645(connect(await wire()), dlt645.values(), window=WINDOW)


async def test_nobody_at_the_gateway(wire, connect, dlt645, unused_tcp_port) -> None:
    gateway = await wire()
    gateway.port = unused_tcp_port

    with pytest.raises(MeterUnreachableError):
        await identify_dlt645(connect(gateway), dlt645.values())


async def test_somebody_who_speaks_another_language(wire, connect, dlt645) -> None:
    gateway = await wire()
    gateway.misbehave(LineFault.NOISE, None)

    found = await identify_dlt645(connect(gateway), dlt645.values(), window=WINDOW)

    assert found.candidates == ()
    assert found.seen == ("4 bytes that are no DL/T 645",)
    assert len(gateway.questions) == 2


async def test_a_line_on_which_everything_collides_is_given_up(
    wire, connect, dlt645, three
) -> None:
    gateway = await wire(three)
    gateway.misbehave(LineFault.WRONG_CHECKSUM, None)

    found = await identify_dlt645(connect(gateway), dlt645.values(), window=0.001)

    assert found.candidates == ()
    assert "the search ended after 400 questions" in found.seen
    assert len(gateway.questions) <= 400


async def test_a_meter_whose_address_is_known_is_read(wire, connect, dlt645, three) -> None:
    gateway = await wire(three)
    line = connect(gateway)

    candidate = await read_dlt645_as(line, three.profile, three.address)

    assert candidate.certain
    assert candidate.model == ""
    assert candidate.name == "DL/T 645-2007 three-phase meter"
    gateway.misbehave(LineFault.REFUSED, None)
    with pytest.raises(MeterRejectedError):
        await read_dlt645_as(line, three.profile, three.address)


@pytest.mark.parametrize("family", ["three", "single"])
async def test_the_family_that_explains_most_comes_first(
    wire, connect, dlt645, family, request
) -> None:
    spec = request.getfixturevalue(family)
    line = connect(await wire(spec))

    for profiles in (list(dlt645.values()), list(dlt645.values())[::-1]):
        found = await identify_dlt645_at(line, profiles, spec.address)

        assert {candidate.profile.id for candidate in found} == set(dlt645)
        assert found[0].profile is spec.profile
        assert found[0].certain


async def test_without_a_profile_a_meter_is_only_named(wire, connect, single) -> None:
    found = await identify_dlt645(connect(await wire(single)), [], window=WINDOW)

    assert found.candidates == ()
    assert "there is no profile for it" in found.seen[1]
