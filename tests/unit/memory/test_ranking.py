from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.memory import Forgetting, MemoryRecord, Moment, Weights
from counselgraph.memory.ranking import Candidates, Sight, bm25, rank

RecordMaker = Callable[..., MemoryRecord]
NOWHERE = Sight(None, None, None)
WORDS = st.lists(st.sampled_from(["sleep", "exam", "work", "tea"]), min_size=1, max_size=6)


def ranked(*records: MemoryRecord, query: str = "", sight: Sight = NOWHERE, **weights: float) -> list[str]:
    candidates = Candidates.of(records)
    only: dict[str, Any] = dict.fromkeys(("meaning", "words", "recency", "importance", "open"), 0.0) | weights
    found = rank(candidates, np.zeros(len(records)), query, sight, Weights(**only))
    return [record.text for record in found]


@given(st.lists(WORDS, min_size=1, max_size=8), WORDS)
def test_bm25_is_between_nothing_and_one_and_zero_without_a_shared_word(texts: list[list[str]], query: list[str]):
    scores = bm25([Counter(text) for text in texts], query)
    assert scores.min() >= 0
    assert scores.max() in {0.0, 1.0}
    for text, score in zip(texts, scores, strict=True):
        assert (score > 0) == bool(set(text) & set(query))


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    texts = [Counter(["exam"]), *[Counter(["sleep"])] * 5, Counter(["tea"])]
    scores = bm25(texts, ["sleep", "exam"])
    assert scores[0] == 1
    assert 0 < scores[1] < 0.5
    assert scores[-1] == 0


def test_the_sample_says_how_rare_a_word_is() -> None:
    nearest = [Counter(["exam", "sleep", "tea"]), Counter(["exam", "work", "tea"]), Counter(["exam", "sleep", "tea"])]
    sample = [*[Counter(["sleep", "tea"])] * 8, Counter(["exam"]), Counter(["work"])]
    among_themselves = bm25(nearest, ["sleep", "work"])
    assert among_themselves[1] == 1
    assert among_themselves[0] < bm25(nearest, ["sleep", "exam"], sample)[0] == 1
    apart = bm25([Counter(["exam"]), Counter(["sleep"])], ["exam", "sleep"], sample)
    assert apart[0] == 1
    assert apart[1] < 0.5


def test_bm25_of_nothing_is_nothing() -> None:
    assert bm25([], ["sleep"]).shape == (0,)
    assert bm25([Counter()], ["sleep"]).tolist() == [0.0]


def test_each_part_of_the_score_can_decide_alone(record: RecordMaker) -> None:
    tea = record("He likes tea.")
    exam = record("She fears the exam.")
    late = record("He moved.", day=30.0)
    grave = record("She lost her job.", importance=5)
    owed = record("She will call the school.", open=True)
    everything = (tea, exam, late, grave, owed)
    assert ranked(*everything, query="exams", words=1)[0] == exam.text
    assert ranked(*everything, recency=1)[0] == late.text
    assert ranked(*everything, importance=1)[0] == grave.text
    assert ranked(*everything, open=1)[0] == owed.text


def test_meaning_is_the_cosine(record: RecordMaker) -> None:
    records = [record("one"), record("two")]
    found = rank(Candidates.of(records), np.array([0.1, 0.9]), "", NOWHERE, Weights())
    assert [item.text for item in found] == ["two", "one"]


def test_an_old_but_important_memory_outlives_an_old_passing_one(record: RecordMaker) -> None:
    records = [record("passing", importance=1), record("grave", importance=5)]
    sight = Sight(Moment(9, 40), None, Forgetting())
    assert ranked(*records, sight=sight) == ["grave"]


def test_what_was_learned_in_the_session_at_hand_or_later_is_not_seen(record: RecordMaker) -> None:
    records = [record(f"session {n}", session=f"s{n}", session_number=n) for n in (1, 2, 3)]
    assert set(ranked(*records, sight=Sight(Moment(3), None, None))) == {"session 1", "session 2"}
    assert ranked(*records, sight=Sight(Moment(3), "s1", None)) == ["session 2"]


def test_a_superseded_memory_is_seen_until_the_session_after(record: RecordMaker) -> None:
    old = record("She works.", superseded_by="x", superseded_in=3, valid_until=14.0)
    assert ranked(old) == []
    assert ranked(old, sight=Sight(Moment(4), None, None)) == []
    assert ranked(old, sight=Sight(Moment(3), None, None)) == ["She works."]


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_reading_does_not_matter(record: RecordMaker, order: int) -> None:
    records = [record(f"tea {n}", exchange=n % 3, importance=1 + n % 5) for n in range(12)][::order]
    expected = ranked(*sorted(records, key=lambda r: r.id), query="tea", words=1, importance=0.1)
    assert ranked(*records, query="tea", words=1, importance=0.1) == expected
