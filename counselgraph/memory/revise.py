"""What becomes of memories: recalled, settled, superseded. Pure functions; each gives back only what it changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from counselgraph.memory.record import Kind, MemoryRecord, order, portrait_id


def strengthened(records: Iterable[MemoryRecord], day: float) -> list[MemoryRecord]:
    """Records that were recalled on a day; saying so twice is saying it once."""
    return [
        record.model_copy(update={"recalled_on": tuple(sorted({*record.recalled_on, day}))})
        for record in records
        if day not in record.recalled_on
    ]


def closed(records: Iterable[MemoryRecord], session_number: int) -> list[MemoryRecord]:
    """Open records that were settled in a session; the earliest session counts."""
    return [
        record.model_copy(update={"closed_in": session_number})
        for record in records
        if record.open and (record.closed_in == 0 or record.closed_in > session_number)
    ]


def superseded(record: MemoryRecord, newer: MemoryRecord) -> MemoryRecord:
    """A record that a newer one takes the place of."""
    validity = {
        "valid_until": newer.day,
        "superseded_by": newer.id,
        "superseded_in": newer.session_number,
    }
    return record.model_copy(update=validity)


def settled(records: Iterable[MemoryRecord]) -> list[MemoryRecord]:
    """Let the newer supersede the older among memories of one owner and client with the same subject.

    Where each stands depends on when it was learned, never on when it was written.
    """
    by_subject: defaultdict[tuple[str, str, str], list[MemoryRecord]] = defaultdict(list)
    for record in records:
        if record.subject:
            by_subject[record.owner, record.client_id, record.subject].append(record)
    pairs = (pair for same in by_subject.values() for pair in pairwise(sorted(same, key=order)))
    now = ((older, superseded(older, newer)) for older, newer in pairs)
    return [after for before, after in now if after != before]


def portrayed(current: MemoryRecord | None, new: MemoryRecord) -> Sequence[MemoryRecord]:
    """What to write when a new portrait comes in: it, and the one whose place it takes as a version of its own.

    A session has one portrait: a second one of the same session replaces the first. A portrait of an earlier session
    than the current one comes too late and changes nothing.
    """
    if current is None or current.session == new.session:
        return () if current == new else (new,)
    if (new.session_number, new.day) < (current.session_number, current.day):
        return ()
    # Its own content address: the id of the valid portrait is the new one's.
    return (superseded(current, new), new)


def is_current_portrait(record: MemoryRecord) -> bool:
    """Whether a record is to be kept under the id of the valid portrait."""
    return record.kind is Kind.PORTRAIT and record.id == portrait_id(record.owner, record.client_id)
