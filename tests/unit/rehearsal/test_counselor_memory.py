from __future__ import annotations

import pytest

from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.counselor import speak
from counselgraph.models.rehearsal.frames import mark_of
from counselgraph.models.rehearsal.reading import read
from counselgraph.models.rehearsal.speech import normal
from counselgraph.protocols.technique import Technique
from counselgraph.transcript import turn
from tests.unit.rehearsal.counselor_driver import PROTOCOL, plan_for, request


def remembered(kind: Kind, text: str) -> MemoryRecord:
    return MemoryRecord(owner="counselor", client_id="mira", kind=kind, text=text, session="one", session_number=1)


def test_the_opening_greets_by_first_name_and_asks():
    said = speak(request([], 0)).text
    assert "Mira" in said
    assert "Lang" not in said
    assert said.endswith(("?", "come?"))


TASK = PROTOCOL.techniques[Technique.CONTINUUM].homework
LAST_TIME = (
    remembered(Kind.SUMMARY, 'We worked on "I will be found out" with the technique Continuum Technique.'),
    remembered(Kind.HOMEWORK, f"{TASK} In the counselor's words: I see. One mark a day. Which day would you start?"),
    remembered(Kind.FACT, "The client came with this: I keep doubting myself."),
)


def test_a_later_session_opens_with_what_was_agreed_in_natural_words():
    for seed in range(12):
        said = speak(request([], 0, seed=seed, counselor_memories=LAST_TIME)).text
        assert bank("counselor/techniques")["continuum"]["task"] in said
        assert said.startswith(("Welcome back, Mira", "Good to see you again, Mira", "Hello Mira"))
        assert "In the counselor's words" not in said
        assert "with the technique" not in said
        assert said.count("?") == 1
        assert "homework_review" in read(said).asks


def test_a_note_in_words_of_its_own_is_kept_as_it_is():
    notes = (remembered(Kind.SUMMARY, "we looked at the fear of being found out"),)
    assert "We looked at the fear of being found out." in speak(request([], 0, counselor_memories=notes)).text


def test_after_a_session_in_danger_the_opening_does_not_ask_for_homework():
    notes = (*LAST_TIME, remembered(Kind.RISK, "A sign of risk (R3) came up: SI_ACTIVE."))
    said = speak(request([], 0, counselor_memories=notes)).text
    assert "since" in said
    assert bank("counselor/techniques")["continuum"]["task"] not in said


@pytest.mark.parametrize(
    ("report", "kind"),
    [
        ("I did the marks every day. Most days were a fifty.", "task_done"),
        ("I did it twice and then I let it drop.", "task_half"),
        ("I didn't get round to it.", "task_undone"),
    ],
)
def test_a_report_on_the_task_is_met_as_what_it_is_before_the_agenda(report, kind):
    frames = [*bank("counselor/reactions")[kind], *bank("counselor/steps")["agenda"]["next"]]
    messages = [turn("counselor", "Welcome back. How did it go?", exchange=0), turn("client", report, exchange=1)]
    said = speak(request(messages, 1, plan=plan_for(Technique.CONTINUUM), counselor_memories=LAST_TIME)).text
    assert sum(mark_of(frame) in normal(said) for frame in frames if len(mark_of(frame).split()) > 2) == 2
