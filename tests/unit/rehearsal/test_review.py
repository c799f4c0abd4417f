"""What the rehearsal review makes of a session."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AnyMessage

from counselgraph.models.base import Request
from counselgraph.models.rehearsal.agenda import Agenda, agenda_for, heard_in, spread
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.lines import step_frames, technique_lines
from counselgraph.models.rehearsal.review import review
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.review import Review
from counselgraph.protocols.technique import ApproachName, Technique
from counselgraph.safety.levels import Level, Risk
from counselgraph.transcript import turn

RATED = step_frames(Technique.EVIDENCE_BASED_QUESTIONING, "rate_belief")["first"]
AGAIN = step_frames(Technique.EVIDENCE_BASED_QUESTIONING, "balanced_thought")["first"]
BELIEF = "If that thought were right, what would be the worst part of it for you?"
TASK = str(technique_lines(Technique.CONTINUUM)["homework"][0])
BEFORE = agenda_for(task="put one event a day on the line", left_open="", danger=False)


def made(**values: Any) -> Review:
    fields = {"decision": "keep", "approach": "cbt", "evidence": "e", "reason": "r", "progress": 0, "moved": "m"}
    return Review.model_validate({**fields, "agenda": BEFORE, **values})


def reviewed(
    *pairs: tuple[str, str], number: int = 2, reviews: tuple[Review, ...] | None = None, **view: Any
) -> Review:
    """The review of a session with these counselor and client turns."""
    messages: list[AnyMessage] = []
    for exchange, (asked, said) in enumerate(pairs, 1):
        messages += [turn("counselor", asked, exchange=exchange - 1), turn("client", said, exchange=exchange)]
    before = tuple(made() for _ in range(number - 1)) if reviews is None else reviews
    known = {"messages": messages, "number": number, "approach": ApproachName.CBT, "reviews": list(before), **view}
    request = Request(role="review", messages=(), view=known, output=Review, seed=7)
    return Review.model_validate_json(review(request).text)


def without_slots(frames: list[str]) -> str:
    return next(frame for frame in frames if "{" not in frame)


HELLO = ("Welcome back. How did it go?", "It's been about the same. I did the marks every day.")
FALL = (
    (without_slots(RATED), "I'd say 80."),
    (without_slots(AGAIN), "Part of it went wrong, and part didn't. 45 now."),
)
MISFIT = (
    ("What do you make of that?", "I know that in my head, but I still feel it the same."),
    ("And what else?", "Logically it all adds up. It doesn't change how I feel."),
    ("What else?", "It doesn't change what I feel, and that's the trouble."),
)


def test_the_first_session_has_nothing_to_be_compared_with():
    found = reviewed(HELLO, *FALL, number=1)
    assert (found.progress, found.decision, found.finished) == (0, "keep", False)


@pytest.mark.parametrize(
    ("said", "better"),
    [
        ("It's been a good week, really. I did the marks every day.", True),
        ('It all came back, as strong as at the start. I did it twice. "I will fail."', False),
        ("It's been a bit worse, to be honest. I didn't get round to it.", False),
    ],
)
def test_progress_follows_the_days_and_the_task(said: str, better: bool):
    assert (reviewed((HELLO[0], said)).progress > 0) is better


def test_a_rating_that_falls_is_progress_and_is_named():
    found = reviewed(HELLO, *FALL)
    assert found.progress > 0
    assert "80" in found.moved
    assert "45" in found.moved


def test_a_relapse_outweighs_what_the_hour_brought():
    relapsed = (HELLO[0], 'It all came back, as strong as at the start. "I will fail."')
    assert reviewed(relapsed).progress < 0
    assert "came back" in reviewed(relapsed).moved


def test_clear_misfit_changes_the_approach_to_one_that_the_protocol_names():
    found = reviewed((HELLO[0], "The same. I didn't get round to it."), *MISFIT)
    assert found.decision == "change"
    assert found.approach is ApproachName.ACCEPTANCE_AND_COMMITMENT
    assert found.approach in {turn.approach for turn in load_protocol("cbt").approach.turn_to}
    assert any(found.evidence in said for _asked, said in MISFIT)


@pytest.mark.parametrize(("sign", "approach"), sorted(bank("review")["points_to"].items()))
def test_every_sign_of_misfit_points_to_an_approach_that_its_own_names(sign: str, approach: str):
    own = [name for name in ApproachName if sign in {mark.id for mark in load_protocol(name).approach.misfit}]
    assert len(own) == 1
    assert approach in {turn.approach for turn in load_protocol(own[0]).approach.turn_to}


def test_no_sign_of_misfit_is_without_a_direction():
    signs = {mark.id for name in ApproachName for mark in load_protocol(name).approach.misfit}
    assert signs == set(bank("review")["points_to"])


def test_one_session_without_progress_changes_nothing_and_two_do():
    idle = (HELLO[0], "The same as before. I did it twice and then I let it drop.")
    assert reviewed(idle, number=2).decision == "keep"
    assert reviewed(idle, number=3, reviews=(made(), made(progress=1))).decision == "keep"
    stuck = reviewed(idle, number=3, reviews=(made(), made(progress=-1)))
    assert stuck.decision == "change"
    assert "Two sessions" in stuck.reason


def test_a_new_approach_gets_a_second_session():
    idle = (HELLO[0], "The same as before. I didn't get round to it.")
    turned = made(approach="motivational_interviewing", decision="change", progress=-1)
    view = {"approach": ApproachName.MOTIVATIONAL_INTERVIEWING}
    assert reviewed(idle, number=4, reviews=(made(), made(progress=-1), turned), **view).decision == "keep"


def test_an_approach_that_was_left_is_not_gone_back_to_while_another_is_untried():
    idle = (HELLO[0], "The same as before. I didn't get round to it.")
    mi = {"approach": ApproachName.MOTIVATIONAL_INTERVIEWING}
    past = [made(), made(**mi, progress=-1), made(**mi, progress=-1)]
    found = reviewed(idle, number=4, reviews=tuple(past), **mi)
    assert found.decision == "change"
    assert found.approach is not ApproachName.CBT


def test_a_course_is_finished_only_when_the_client_says_so_and_it_has_gone_well_twice():
    gone = (HELLO[0], "I think it's lost its grip on me. What helped was going on. I did it every day.")
    well = (made(), made(progress=1))
    assert reviewed(gone, number=3, reviews=well).finished
    assert not reviewed(gone, number=3).finished
    assert not reviewed(gone, number=2, reviews=well[1:]).finished
    assert not reviewed((HELLO[0], "It's been a good week. I did it."), number=3, reviews=well).finished
    assert not reviewed(gone, number=3, reviews=well, risk=Risk(level=Level.CONCERN)).finished


def test_the_agenda_begins_with_the_task_and_goes_on_with_what_was_left_open():
    belief = (BELIEF, "Deep down, that I'm not up to any of this.")
    found = heard_in(reviewed(HELLO, belief, ("Good.", "Yes."), (TASK, "On Monday.")).agenda)
    assert found.task == technique_lines(Technique.CONTINUUM)["task"]
    assert "I'm not up to any of this" in found.left_open


def test_danger_comes_first_on_the_agenda():
    found = reviewed(HELLO, (TASK, "On Monday."), risk=Risk(level=Level.ACTIVE)).agenda
    assert found.startswith("Begin with how safe")
    assert found.index("safe") < found.index("task")


def test_what_was_said_about_dying_is_not_left_for_the_next_agenda():
    belief = (BELIEF, "It means I wish I were dead.")
    assert heard_in(reviewed(HELLO, belief).agenda).left_open == ""


def test_the_same_session_is_reviewed_the_same():
    assert reviewed(HELLO, *FALL) == reviewed(HELLO, *FALL)


@given(st.lists(st.text(max_size=150), min_size=1, max_size=5), st.integers(1, 6), st.sampled_from(list(ApproachName)))
def test_any_session_gets_a_valid_review_with_evidence_out_of_it(lines: list[str], number: int, approach: ApproachName):
    found = reviewed(*(("And then?", line) for line in lines), number=number, approach=approach)
    assert found.evidence == "-" or any(found.evidence in line for line in lines)


@given(st.text("abc ',.", min_size=1, max_size=60).filter(str.strip), st.text("abc ',", max_size=120), st.booleans())
def test_an_agenda_is_read_back_as_it_was_made(task: str, left: str, danger: bool):
    left = left.strip()
    found = heard_in(agenda_for(task=task, left_open=left, danger=danger))
    assert found == Agenda(task=task, left_open=left.rstrip(". "))


def test_words_in_anybodys_agenda_are_taken_for_the_clients():
    assert heard_in('Explore "nobody would miss my work" further.').left_open == "nobody would miss my work"
    assert heard_in("Explore the fear of failing.") == Agenda()


def test_a_seed_is_left_alone_where_nothing_is_to_be_told_apart():
    assert spread(5) == 5
    assert spread(5, "") == 5
    assert spread(5, "one") != spread(5, "two")
