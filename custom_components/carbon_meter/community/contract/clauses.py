"""The numbered requirements, in the words of docs/community/contract.md.

A clause keeps its number for ever; what is refused names the clause, and every clause has a test.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CLAUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CM-1": (
            "A message has exactly the topic of its kind; a receiver MUST refuse every other "
            "topic, those kept free for masked sums among them."
        ),
        "CM-2": (
            "The ids of a community and of a home are 1 to 64 of `a-z`, `0-9`, `_` and `-`, the "
            "first a letter or digit. No home is called `public`, `hub` or `operator`."
        ),
        "CM-3": "A payload MUST NOT be larger than 8192 bytes.",
        "CM-4": "A payload is UTF-8, and no text in it holds half of a surrogate pair.",
        "CM-5": (
            "A payload is one JSON object (RFC 8259). NaN, Infinity, a byte order mark and "
            "anything but white space of JSON before or after the object MUST be refused."
        ),
        "CM-6": "No object holds a key twice, not even with the same value.",
        "CM-7": (
            "Objects and lists are nested in at most 16 levels; the outermost object is level 1."
        ),
        "CM-8": (
            "`v` is 1. A receiver MUST refuse another major version, and MUST tell its sender so."
        ),
        "CM-9": "A receiver MUST ignore fields that it does not know, at every level.",
        "CM-10": (
            "Every field of the tables is there unless it is called optional. An optional field "
            "may also be null, which is the same as absent (`sig`: any value). Elsewhere null "
            "stands only where the tables say so."
        ),
        "CM-11": (
            "Each field has the JSON type of its table. A number is written without fraction and "
            "exponent: 1.0, 1e3 and true MUST be refused."
        ),
        "CM-12": "Numbers and lists stay within the limits of the tables.",
        "CM-13": (
            "Texts have the form of their table; where it says `text`, 1 to 64 printable ASCII "
            "characters without spaces at the ends."
        ),
        "CM-14": "A word that is not in the list of its field MUST be refused.",
        "CM-15": "`src` is the home of the topic, and `start` the start of the topic.",
        "CM-16": "`dur` is 900, 1800, 3600 or 86400, and `start` a multiple of it.",
        "CM-17": (
            "`start` is at most 300 seconds after the receiver's clock: what is later MUST be "
            "refused."
        ),
        "CM-18": "`start` is at most 400 days before the receiver's clock.",
        "CM-19": (
            "`final` is true only for a period that has ended by the receiver's clock, without "
            "the 300 seconds of CM-17, and only by a clock that is synced."
        ),
        "CM-20": "There are 1 to 9 items, and no flow twice.",
        "CM-21": "What is `measured` was measured: its coverage is above 0.",
        "CM-22": (
            "A gap is not a zero. A flow that is `missing` has `wh`, `mg` and `cov` 0 and no "
            "`cf`; a receiver MUST NOT count it as energy of 0."
        ),
        "CM-23": "Carbon-free energy is a part of the energy: `cf` is at most `wh`.",
        "CM-24": "`level` is `clear` or `pseudonym`; `masked` is reserved and MUST be refused.",
        "CM-25": (
            "What revisions have in common is community, home, start and duration, and with the "
            "flow one row. The highest revision holds, in whatever order revisions come; the same "
            "one come again changes nothing."
        ),
        "CM-26": (
            "A revision is one content: of anything that is in its digest a change makes a new "
            "revision. Another content under the same revision MUST be set apart, not stored."
        ),
        "CM-27": (
            "`boot` is random for every run of the sender. `seq` starts at 1 and rises by 1 with "
            "every message handed out; a message sent again has a new number."
        ),
        "CM-28": (
            "An ack names numbers that the hub has committed to its store: all up to `upto` and "
            "those in `also`, in ascending order with gaps between. It names at least one: `upto` "
            "is above 0 or `also` is not empty; the first pair begins at `upto` + 2 or later, "
            "each next one at least 2 after the end of the one before. `hash` is the digest of "
            "the footprint with the highest of them. The same come again is acknowledged again, "
            "also where the period counts nowhere."
        ),
        "CM-29": (
            "A home keeps a footprint until an ack covers a message that carried it, or a higher "
            "revision of it, and MUST ignore an ack whose `hash` is not that of what it sent. "
            "What was not acknowledged it SHOULD send again after an hour, then after two, "
            "doubling up to a day."
        ),
        "CM-30": (
            "A nack names code and clause. The home MUST NOT send that revision again by itself; "
            "a newer revision or a request ends this. After the code `consent`, for a footprint "
            "that its own consent covers, it tells its consent again and then the revision, at "
            "most once an hour. It does neither after a withdrawal, nor when the consent itself "
            "was refused. What its present consent does not cover a home does not send again."
        ),
        "CM-31": (
            "A request names periods of one duration, ascending and without overlap. The home "
            "sends the newest revision of each that it has, and tells nothing of the others."
        ),
        "CM-32": "A home MUST NOT send a lower revision after a higher one.",
        "CM-33": (
            "What was not acknowledged outlives a crash, and weeks without the hub: a home keeps "
            "at least 400 days of hours, and counts what it has to give up beyond its bound."
        ),
        "CM-34": (
            "Energy is told in Wh and carbon in mgCO2eq, both below 2^40 in size: sums of a "
            "million homes stay within 64 bits."
        ),
        "CM-35": (
            "A consent names the words agreed to, the level, the shortest period and the flows. "
            "What shows more than the consent MUST be refused."
        ),
        "CM-36": (
            "Of consents and withdrawals the one with the latest `at` holds, a withdrawal before "
            "a consent of the same moment. Without a consent that holds a hub MUST NOT take "
            "footprints. The `at` of a consent that is later than the receiver's clock when it "
            "comes gives way to any consent or withdrawal that comes after it; a withdrawal gives "
            "way to nothing. A home gives each consent and withdrawal an `at` above that of its "
            "last one, even if its clock was set back."
        ),
        "CM-37": (
            "A withdrawal ends everything: the hub deletes what the home has told from its store "
            "and its sums, takes nothing more of it, and then says `deleted`, also to a "
            "withdrawal come again. It is never refused for want of membership: of who is no "
            "member any more whatever is there is deleted, and `homes` is 0 where nothing was. A "
            "home sends its withdrawal again until it has heard that. An id that has withdrawn "
            "does not come back: no later consent of it holds."
        ),
        "CM-38": (
            "`proof` is the SHA-256 of a secret that is made for this id alone. `also` names "
            "earlier ids, each once and never `src`, with their secrets: the hub deletes what was "
            "told under each whose latest consent has the proof of that secret, and MUST leave "
            "every other untouched."
        ),
        "CM-39": (
            "A key is made at home and never leaves it. `csr` is a PKCS #10 request that is "
            "signed by its own key, on P-256 or P-384, Ed25519, or RSA of 2048 to 4096 bits with "
            "the exponent 65537. Nothing else of it counts, and every other MUST be refused."
        ),
        "CM-40": (
            "A certificate names one id, and is good for a client and nothing else. A broker "
            "takes the name in it for user and client id."
        ),
        "CM-41": (
            "A hub makes a certificate for a home that it has invited, once and for one key, and "
            "for one that has a certificate, of a key that no other id has. The same key asked "
            "again gets the same certificate; a hub that cannot decide now does not answer."
        ),
        "CM-42": (
            "A home MUST check that a certificate is of its key, names `subject` and nobody else, "
            "is good for a client alone, has not ended, and is signed by one of `authorities`, and "
            "that `subject` is its own id, or another one where it asked for that."
        ),
        "CM-43": (
            "A home asks for a new certificate, of a new key, when two fifths of the time of the "
            "present one are over. Until it has the new one the present one holds."
        ),
        "CM-44": (
            "Another id begins with a month of the community's calendar, once for each id. A "
            "period belongs to the id in whose time its middle lies, that of its hour if it is "
            "shorter, and MUST NOT be told under two. A time includes its begin and not its end."
        ),
        "CM-45": (
            "A hub MUST NOT keep which id has followed which: neither by name nor by the time or "
            "the order of what it keeps."
        ),
        "CM-46": (
            "A hub may drop, without an answer, what a home sends beyond 10,000 messages and one "
            "more each second; of withdrawals, and of requests for a certificate, it takes 10 "
            "more, and one more each minute. A home of which it drops 1000 within a minute it may "
            "put out for ten minutes. A home spreads a longer answer, and repeats a withdrawal "
            "after a minute, then doubling up to an hour."
        ),
        "CM-47": (
            "A consent or withdrawal that does not hold, because one with a later `at` does, is "
            "answered with the code `consent`. A home that still means it tells it again with a "
            "later `at`."
        ),
        "CM-48": (
            "When a home is expelled that has asked for another id, a hub holds back every id "
            "that begins with that one and is not in use, until its home has asked for it again "
            "with the same key; each home can do so for one. A home asks again once a day, over "
            "the id before, until the hub has acknowledged something under the new one."
        ),
        "CM-49": (
            "A hub takes 100 revisions of a period, and refuses every further one with the code "
            "`revisions`: the highest that it has taken holds. A home tells a running period at "
            "most 60 times, and corrections of it together, at most once an hour."
        ),
        "CM-50": (
            "A home names at most 1000 different `ci`: its `version` is that of a table, not of a "
            "period. A hub refuses a footprint that would hold and make them more with the code "
            "`intensities`, and MUST go on taking what is weighed by those it knows."
        ),
        "CM-51": (
            "Of what is set apart by CM-26 a hub keeps 100 of a home, and of one revision the "
            "first; what is beyond is refused like it, and not kept."
        ),
    }
)
