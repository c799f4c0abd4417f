"""What of each outside format goes where."""

from __future__ import annotations

from pathlib import Path

import pytest

from counselgraph.errors import InputError
from counselgraph.personas import Persona
from counselgraph.personas.evolving import Speaker
from counselgraph.personas.loss import Fate, Loss, Report, merge
from counselgraph.personas.motivation import Stage
from counselgraph.personas.persona import Attitude, When
from tests.unit.personas.formats import ACT, ANNA, EEYORE, MI, RECORDS
from tests.unit.personas.looking import load


def imported(folder: Path, name: str) -> Persona:
    (persona,) = load(folder, RECORDS[name])
    return persona


def test_a_conceptualization_diagram(tmp_path: Path) -> None:
    persona = imported(tmp_path, "patient-psi")
    assert persona.id == "patient-psi-001-nell"
    assert persona.presenting_problem.statement == "I'll never be done."
    assert persona.conceptualization.core_beliefs == ("I am slow.",)
    assert persona.presenting_problem.coping == "I avoid deadlines."
    assert persona.history.life == "I grew up by the sea."


def test_a_client_for_motivational_interviewing(tmp_path: Path) -> None:
    persona = imported(tmp_path, "consistent-mi")
    state = persona.motivation
    assert state is not None
    assert (state.behaviour, state.change, state.stage) == (
        "drinking coffee",
        "drinking less coffee",
        Stage.CONTEMPLATION,
    )
    assert state.suggestibility == (2, 4, 3)
    assert state.receptivity == persona.receptivity == 0.5
    assert state.beliefs == ("I believe coffee keeps me sharp.",)
    assert state.plans == ("I will try one cup less.",)
    assert state.topics == ("Sleep", "Health")
    assert state.motivation == "I want to sleep again because I am tired of lying awake."
    assert persona.presenting_problem.statement == "I drink nine cups a day. My sister worries about me."
    assert [(item.topic, item.when) for item in persona.disclosures] == [("sleep, health", When.TRUSTED)]


def test_a_record_without_a_stage_or_ratings_gets_the_first_and_the_middle(tmp_path: Path) -> None:
    bare = {key: MI[key] for key in ("topic", "Personas")}
    (persona,) = load(tmp_path, bare, format="consistent-mi")
    assert persona.motivation is not None
    assert (persona.motivation.stage, persona.motivation.receptivity) == (Stage.PRECONTEMPLATION, 0.5)


def test_an_evolving_seeker(tmp_path: Path) -> None:
    persona = imported(tmp_path, "anna-agent")
    state = persona.evolving
    assert state is not None
    assert state.complaints == ("I get up at three and there is no dough.", "I wonder who I am without the shop.")
    assert persona.presenting_problem.statement == state.complaints[0]
    assert [(memory.by, memory.text) for memory in state.earlier] == [
        (Speaker.CLIENT, "Good morning."),
        (Speaker.COUNSELOR, "Good morning, what brings you?"),
    ]
    assert state.sessions == 1
    assert state.since == "He sleeps a little longer than in spring."
    assert persona.conceptualization.situations == ("I have closed the bakery and I miss my customers.",)
    assert persona.risk.level == 0
    assert persona.demographics.marital_status == "Widowed"
    assert "A title by the counselor" not in persona.for_client().model_dump_json()


def test_risk_is_set_where_the_record_has_words_in_which_it_shows(tmp_path: Path) -> None:
    profile = ANNA["profile"] | {"srisk": 2}  # type: ignore[operator]  # a mapping
    spoken = ANNA | {"profile": profile, "statement": ["Hello.", "I have thought about suicide."]}
    silent = ANNA | {"profile": profile}
    with_words, without = load(tmp_path, spoken, silent)
    assert (with_words.risk.level, with_words.risk.statements) == (2, ("I have thought about suicide.",))
    assert without.risk.level == 0
    assert without.source is not None
    assert without.source.report is not None
    assert "profile.srisk" in without.source.report.fields(Fate.SOURCE)


def test_stages_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    chain = [{"stage": "first", "content": "I am tired."}]
    with pytest.raises(InputError) as caught:
        load(tmp_path, ANNA | {"complaint_chain": chain})
    assert caught.value.field == "complaint_chain.stage"


def test_a_case_with_an_earlier_conversation(tmp_path: Path) -> None:
    persona = imported(tmp_path, "anna-agent-case")
    assert persona.evolving is not None
    assert len(persona.evolving.earlier) == 2
    assert persona.evolving.complaints == ()
    assert persona.presenting_problem.statement == "I can't rest."
    assert persona.other == {"Symptoms": "restless"}


def test_a_depression_profile(tmp_path: Path) -> None:
    persona = imported(tmp_path, "eeyore")
    assert persona.name == "Client"
    assert persona.presenting_problem.statement == "I am feeling tired of my work."
    assert (persona.attitude, persona.receptivity) == (Attitude.NEGATIVE, 0.2)
    assert persona.other["Age"] == "25~44"
    assert persona.other["How strongly it shows"] == "2-Mild"
    assert persona.history.treatment == ""
    assert persona.source is not None
    assert persona.source.report is not None
    assert persona.source.report.fields(Fate.UNREAD) == ("profile.age",)
    assert "conversation.content" in persona.source.report.fields(Fate.SOURCE)


def test_a_level_of_risk_without_words_stays_in_the_source(tmp_path: Path) -> None:
    profile = EEYORE["profile"] | {"suicidal ideation severity": "Severe suicidal ideation"}  # type: ignore[operator]  # a mapping
    (persona,) = load(tmp_path, EEYORE | {"profile": profile})
    assert persona.risk.level == 0
    assert persona.source is not None
    assert persona.source.report is not None
    assert "profile.suicidal ideation severity" in persona.source.report.fields(Fate.SOURCE)


def test_memories_are_told_by_their_level_and_stand_nowhere_else(tmp_path: Path) -> None:
    persona = imported(tmp_path, "patient-act")
    assert [(item.topic, item.text, item.when) for item in persona.disclosures] == [
        ("the crash, her friend", "Lost a friend in a crash.", When.ASKED_DIRECTLY),
        ("weather", "Crosswind.", When.ASKED),
    ]
    assert persona.presenting_problem.triggers == ""
    assert persona.history.life == "A family of pilots."
    assert persona.presenting_problem.statement == "I'll miss something."
    assert persona.other["With the captain"].splitlines()[1:] == [
        "wish: Trust.",
        "response_of_other: Doubt.",
        "response_of_self: Silence.",
    ]
    assert "a_label" not in persona.for_client().model_dump_json()


@pytest.mark.parametrize(("level", "when"), [(1, "freely"), (2, "asked"), (3.5, "trusted"), (4.5, "asked_directly")])
def test_disclosure_levels(level: float, when: str, tmp_path: Path) -> None:
    memory = {"items": [{"content": "Something.", "disclosure_level": level, "activation_tags": ["it"]}]}
    (persona,) = load(tmp_path, ACT | {"memory": memory})
    assert persona.disclosures[0].when == when


def test_reactions_in_one_text_are_taken_apart(tmp_path: Path) -> None:
    mind = imported(tmp_path, "mind-voyager").conceptualization
    assert mind.automatic_thoughts == ("I waste time.",)
    assert mind.emotions == ("guilt",)
    assert mind.behaviours == ("Opens the laptop.",)


def test_what_is_only_a_rating_or_a_label_never_reaches_the_client(tmp_path: Path) -> None:
    secrets = {
        "patient-zero": "Written by the doctor.",
        "psych-eval": "老师好",
        "client-cast": "A rating by a reader.",
        "cars": '"praise"',
        "talk-dep": "21",
        "eeyore": "A line of the dialogue behind it.",
    }
    for name, secret in secrets.items():
        assert secret not in imported(tmp_path, name).for_client().model_dump_json(), name


def test_free_text_profiles_are_sorted_into_the_presenting_problem(tmp_path: Path) -> None:
    persona = imported(tmp_path, "sim-psybot")
    assert (persona.name, persona.language) == ("来访者", "zh")
    assert persona.presenting_problem.statement == "我最近总是很紧张\uff0c一上班就心慌。"
    assert persona.presenting_problem.onset == "去年换了工作以后就开始了。"


def test_a_case_of_several_sessions_is_the_client_before_the_first(tmp_path: Path) -> None:
    persona = imported(tmp_path, "psych-eval")
    assert (persona.name, persona.demographics.age) == ("小溪", 27)
    assert persona.conceptualization.core_beliefs == ("我不够好",)
    assert persona.goals == ("想重新睡个好觉。",)
    assert persona.for_counselor().reason_for_counseling == persona.presenting_problem.statement


def test_a_medical_case_gives_next_to_nothing(tmp_path: Path) -> None:
    persona = imported(tmp_path, "saps")
    assert (persona.demographics.age, persona.demographics.gender) == (50, "man")
    assert persona.conceptualization.automatic_thoughts == ()
    assert persona.source is not None
    assert persona.source.report is not None
    assert "not a client of counseling" in persona.source.report.notes[0]


def test_one_person_from_each_of_the_other_formats(tmp_path: Path) -> None:
    said = {name: imported(tmp_path, name).presenting_problem.statement for name in RECORDS}
    assert said["adaptive-vp"] == "I need you to look at this drip!"
    assert said["cars"] == "I struggle with praise."
    assert said["client-cast"] == "I argue with everybody."
    assert said["patient-zero"] == "I wake at four."
    assert said["psyche"] == "I can't leave the depot."
    assert said["roleplay-doh"] == "I am currently dealing with a house move."
    assert said["sim-patient"] == "On Friday I played cards again. I lost my wages and told nobody."
    assert said["talk-dep"] == "I drag myself about."


def test_a_persona_without_symptoms_has_something_to_say_all_the_same(tmp_path: Path) -> None:
    (persona,) = load(tmp_path, RECORDS["talk-dep"] | {"key_negative_symptoms": []})
    assert persona.presenting_problem.statement == "I once wrote about it online."


def test_reports_of_several_records_add_up() -> None:
    one = Report(losses=(Loss(field="a", fate=Fate.MAPPED, to="name"), Loss(field="b", fate=Fate.BLANK)), notes=("n.",))
    two = Report(losses=(Loss(field="a", fate=Fate.MAPPED, to="name", values=2), Loss(field="b", fate=Fate.SOURCE)))
    both = merge([one, two])
    assert both.losses[0] == Loss(field="a", fate=Fate.MAPPED, to="name", values=3)
    assert both.notes == ("n.",)
    assert (both.fields(Fate.SOURCE), both.values(Fate.SOURCE), both.values(Fate.UNREAD)) == (("b",), 1, 0)
