"""Each MUST, MUST NOT and SHOULD of the contract has tests of its own, not only its clause.

A clause can hold several: a test of one of them says nothing about the others.
"""

import ast
from functools import cache
from pathlib import Path
import re

import pytest

from custom_components.carbon_meter.community.contract.clauses import CLAUSES
from tests.community.contract.vectors import all_vectors

TESTS = Path(__file__).parents[1]

REQUIREMENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "CM-1": {
        "a receiver MUST refuse every other topic": (
            "vector topic cm/v1/sunny-street/home_17/up/fp",
            "vector an answer on the way up",
            "contract/test_topics.py::test_what_is_parsed_is_what_would_be_built",
            "hub/test_processor.py::test_one_bad_message_hinders_no_other",
        ),
        "those kept free for masked sums among them": (
            "vector topic cm/v1/sunny-street/home_17/up/mask/1799996400",
            "contract/test_topics.py::test_the_topics_of_masked_sums_are_kept_free",
        ),
    },
    "CM-3": {
        "MUST NOT be larger than 8192 bytes": (
            "vector a payload of 8192 bytes",
            "vector a byte more than 8192",
            "contract/test_reading.py::test_size_is_looked_at_before_anything_else",
        ),
    },
    "CM-5": {
        "NaN": ("vector no JSON object: NaN", "vector no JSON object: NaN for wh"),
        "Infinity": (
            "vector no JSON object: Infinity",
            "vector no JSON object: minus Infinity",
        ),
        "a byte order mark": ("vector a byte order mark",),
        "anything but white space of JSON before or after the object MUST be refused": (
            "vector white space of JSON around the object",
            "vector no JSON object: something after it",
            "vector no JSON object: other white space after it",
            "vector no JSON object: a form feed before it",
        ),
    },
    "CM-8": {
        "A receiver MUST refuse another major version": (
            "vector version 2",
            "vector consent of another version",
            "vector ack of another version",
            "vector deleted of another version",
            "vector request of another version",
            "vector certificate of another version",
        ),
        "MUST tell its sender so": (
            "contract/test_answers.py::test_every_refusal_can_be_told_to_the_sender",
            "member/test_link.py::test_what_a_refusal_means",
        ),
    },
    "CM-9": {
        "A receiver MUST ignore fields that it does not know, at every level": (
            "vector unknown fields at every level, fractions among them",
            "vector consent with what is not known",
            "vector ack with what is not known",
            "vector deleted with what is not known",
            "vector request with what is not known",
            "vector certificate with what is not known",
        ),
    },
    "CM-11": {
        "1.0": ("vector items.0.wh with a fraction of 0",),
        "1e3": ("vector wh with an exponent",),
        "true MUST be refused": ("vector items.0.wh is true",),
    },
    "CM-14": {
        "A word that is not in the list of its field MUST be refused": (
            'vector items.0.flow is "coal"',
            'vector items.0.q is "good"',
            'vector items.0.ci.kind is "mixed"',
            'vector level is "open"',
            "vector consent to a flow that is not known",
            "vector nack with a code that is not known",
            "vector request for something else",
            "vector no certificate, for a reason that is not known",
        ),
    },
    "CM-17": {
        "what is later MUST be refused": (
            "vector a start 300 seconds ahead",
            "vector 301 seconds ahead",
            "hub/test_processor.py::test_times_are_checked_by_the_hubs_clock",
        ),
    },
    "CM-22": {
        "a receiver MUST NOT count it as energy of 0": (
            "ledger/test_ledger.py::test_a_gap_is_not_zero",
            "member/test_figures.py::test_what_is_not_known_is_missing_and_not_zero",
        ),
    },
    "CM-24": {
        "`masked` is reserved and MUST be refused": (
            "vector the level masked",
            "vector consent to masked sums",
        ),
    },
    "CM-26": {
        "Another content under the same revision MUST be set apart, not stored": (
            "ledger/test_ledger.py::test_same_revision_with_other_content_is_set_apart",
            "hub/test_processor.py::test_another_content_under_a_revision_is_told_to_be_a_conflict",
        ),
    },
    "CM-29": {
        "MUST ignore an ack whose `hash` is not that of what it sent": (
            "outbox/test_outbox.py::test_an_ack_of_something_else_is_ignored",
        ),
        "What was not acknowledged it SHOULD send again after an hour, then after two, "
        "doubling up to a day": (
            "outbox/test_outbox.py::test_patience_doubles_up_to_a_day",
            "member/test_link.py::test_weeks_without_a_hub_lose_nothing",
        ),
    },
    "CM-30": {
        "The home MUST NOT send that revision again by itself": (
            "outbox/test_outbox.py::test_what_is_refused_is_not_sent_again_by_itself",
            "member/test_link.py::test_what_a_refusal_means",
        ),
    },
    "CM-32": {
        "A home MUST NOT send a lower revision after a higher one": (
            "outbox/test_outbox.py::test_a_lower_revision_never_follows_a_higher_one",
            "outbox/test_outbox.py::test_where_revisions_are_forgotten_nothing_is_taken",
        ),
    },
    "CM-35": {
        "What shows more than the consent MUST be refused": (
            "contract/test_consent.py::test_nothing_is_shown_beyond_the_consent",
            "hub/test_processor.py::test_nothing_without_a_consent_and_nothing_beyond_it",
            (
                "member/test_link.py::"
                "test_what_was_not_agreed_to_does_not_leave_wherever_it_comes_from"
            ),
        ),
    },
    "CM-36": {
        "Without a consent that holds a hub MUST NOT take footprints": (
            "contract/test_consent.py::test_without_a_consent_nothing_is_taken",
            "hub/test_processor.py::test_nothing_without_a_consent_and_nothing_beyond_it",
        ),
    },
    "CM-38": {
        "MUST leave every other untouched": (
            "hub/test_processor.py::test_withdrawal_deletes_everywhere_and_says_so",
        ),
    },
    "CM-39": {
        "every other MUST be refused": (
            "vector request with another's key",
            "vector request with RSA of 1024 bits",
            "vector request with the RSA exponent 3",
            "vector request with the curve secp256k1",
            "authority/test_requests.py::test_weak_and_odd_keys_are_refused",
            "authority/test_requests.py::test_the_key_of_another_is_refused",
            "hub/test_desk.py::test_a_bad_request_is_declined_and_leaves_the_invitation",
        ),
    },
    "CM-42": {
        "A home MUST check that a certificate is of its key": (
            "member/test_renewal.py::test_a_certificate_that_is_not_its_own_changes_nothing",
        ),
        "names `subject` and nobody else": (
            "member/test_renewal.py::test_a_certificate_that_is_not_its_own_changes_nothing",
            "contract/test_courses.py::test_a_home_takes_the_certificates_that_it_should",
        ),
        "is good for a client alone": (
            "member/test_renewal.py::test_a_certificate_that_is_not_its_own_changes_nothing",
            "contract/test_courses.py::test_a_home_takes_the_certificates_that_it_should",
        ),
        "has not ended": (
            "member/test_renewal.py::test_a_certificate_that_is_not_its_own_changes_nothing",
            "contract/test_courses.py::test_a_home_takes_the_certificates_that_it_should",
        ),
        "is signed by one of `authorities`": (
            "member/test_renewal.py::test_a_certificate_that_is_not_its_own_changes_nothing",
        ),
        "`subject` is its own id, or another one where it asked for that": (
            "member/test_renewal.py::test_a_certificate_that_is_not_its_own_changes_nothing",
            "member/test_renewal.py::test_a_certificate_that_is_its_own_is_taken",
        ),
    },
    "CM-44": {
        "MUST NOT be told under two": (
            "member/test_state.py::test_every_period_is_told_under_one_id",
            "member/test_telling.py::test_each_id_tells_its_own_time",
        ),
    },
    "CM-45": {
        "A hub MUST NOT keep which id has followed which": (
            "hub/test_pseudonyms.py::test_no_value_is_shared_by_old_and_new_alone",
            "hub/test_pseudonyms.py::test_the_log_that_holds_both_is_emptied",
        ),
        "neither by name nor by the time or the order of what it keeps": (
            "hub/test_pseudonyms.py::test_no_order_in_any_file_links_old_and_new",
            "hub/test_pseudonyms.py::test_no_neighbours_in_any_file_are_old_and_new",
        ),
    },
    "CM-50": {
        "MUST go on taking what is weighed by those it knows": (
            "hub/test_bounds.py::test_ever_new_intensities_are_refused_and_known_ones_taken",
        ),
    },
}
"""By clause, the words of each requirement and the tests and vectors that fail without it."""


@cache
def names_in(path: str) -> frozenset[str]:
    """Return the names of the tests in a file."""
    return frozenset(
        node.name
        for node in ast.walk(ast.parse((TESTS / path).read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_every_clause_that_demands_something_is_listed() -> None:
    demanding = {clause for clause, text in CLAUSES.items() if re.search("MUST|SHOULD|SHALL", text)}
    assert set(REQUIREMENTS) == demanding


@pytest.mark.parametrize("clause", REQUIREMENTS)
def test_every_requirement_is_quoted(clause: str) -> None:
    left = CLAUSES[clause]
    for words in REQUIREMENTS[clause]:
        assert left.count(words) >= 1, words
        left = left.replace(words, "", 1)
    assert not re.search("MUST|SHOULD|SHALL", left), f"without a test: {left}"


@pytest.mark.parametrize("clause", REQUIREMENTS)
def test_every_requirement_has_a_test_that_is_there(clause: str) -> None:
    vectors = {vector.name for vector in all_vectors()}
    for words, named in REQUIREMENTS[clause].items():
        assert named, words
        for each in named:
            if each.startswith("vector "):
                assert each.removeprefix("vector ") in vectors, each
            else:
                path, _, name = each.partition("::")
                assert name in names_in(path), each
