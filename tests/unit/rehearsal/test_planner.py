from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.models.base import Request
from counselgraph.models.rehearsal.planner import decide, scores
from counselgraph.personas.persona import Intake
from counselgraph.protocols.plan import Plan, PlanDecision, Trigger, assemble
from counselgraph.protocols.protocol import load_protocol
from counselgraph.protocols.technique import Phase, Technique
from counselgraph.transcript import turn

PROTOCOL = load_protocol()


def decided(
    *lines: str, reason: str = "", seed: int = 1, language: str = "en", plan: Plan | None = None
) -> PlanDecision:
    messages = [turn("counselor", "Hello.", exchange=0)]
    for exchange, line in enumerate(lines, 1):
        messages += [turn("client", line, exchange=exchange), turn("counselor", "I see.", exchange=exchange)]
    view: dict[str, Any] = {
        "intake": Intake(name="Mira", reason_for_counseling=reason),
        "messages": messages[:-1],
        "exchange": len(lines),
        "plan": plan,
    }
    answer = decide(Request(role="planner", messages=(), view=view, exchange=len(lines), seed=seed, language=language))
    return PlanDecision.model_validate_json(answer.text)


def session(*pairs: tuple[str, str], plan: Plan, memories: tuple[MemoryRecord, ...] = ()) -> PlanDecision:
    """The decision after these counselor and client turns."""
    messages = []
    for exchange, (asked, said) in enumerate(pairs, 1):
        messages += [turn("counselor", asked, exchange=exchange - 1), turn("client", said, exchange=exchange)]
    view = {"intake": Intake(name="Mira"), "messages": messages, "plan": plan, "counselor_memories": memories}
    return PlanDecision.model_validate_json(decide(Request(role="planner", messages=(), view=view, seed=1)).text)


def first_plan(technique: Technique, *, phase: Phase = Phase.AGENDA, close: bool = True) -> Plan:
    decision = PlanDecision(technique=technique, focus="I fail", hypothesis="h", phase=phase, reason="r")
    return assemble(decision, PROTOCOL, previous=None, exchange=1, trigger=Trigger.START, level=0, close=close)


@pytest.mark.parametrize(
    ("said", "technique"),
    [
        ("It was all my fault, and I blame myself every day.", Technique.PIE_CHART),
        ("What if I never find work again? I'm afraid I will lose everything.", Technique.DECATASTROPHIZING),
        ("My neighbors probably think I'm odd, and everyone judges me.", Technique.ALTERNATIVE_PERSPECTIVE),
        ("I must always be kind, and I should never be tired.", Technique.CHANGING_RULES_TO_WISHES),
        ("If it isn't perfect, it's a total failure.", Technique.CONTINUUM),
        ("I can't say no, and people walk all over me.", Technique.ASSERTIVENESS),
        ("I'm terrified of dogs, so I avoid the park and stay home.", Technique.SYSTEMATIC_EXPOSURE),
        ("I need to find a new job, the rent is due, and I don't know how to start.", Technique.PROBLEM_SOLVING),
        ("I'm a fraud. Deep down I'm not good enough.", Technique.EVIDENCE_BASED_QUESTIONING),
        ("If I asked for help, they would laugh at me, so I never even try.", Technique.BEHAVIOR_EXPERIMENT),
        ("I have to have the talk with my father next week and I don't know what to say.", Technique.ROLE_PLAYING),
        ("I'm torn: part of me wants to stay, and I can't decide.", Technique.PROS_AND_CONS),
        ("I ruminate all night and can't switch off; it costs me my sleep.", Technique.EFFICIENCY_EVALUATION),
        ("I just know they whisper about me behind my back. She hasn't replied.", Technique.REALITY_TESTING),
    ],
)
def test_clear_cases_get_their_technique(said, technique):
    for seed in range(5):
        assert decided(said, seed=seed).technique is technique


def test_the_first_plan_starts_with_the_agenda_and_quotes_what_was_seen():
    decision = decided("It was all my fault that we lost the house.")
    assert decision.phase is Phase.AGENDA
    assert "my fault" in decision.reason
    assert "because of me" in decision.hypothesis


def test_the_focus_is_the_clients_own_thought():
    assert decided("I keep thinking that I will be found out.").focus == "I will be found out"
    assert decided("Hello.", reason="I believe nobody wants me.").focus == "Nobody wants me"


def test_seeds_differ_only_where_cues_do_not_decide():
    vague = {decided("Things are difficult.", seed=seed).technique for seed in range(40)}
    clear = {decided("It is my fault, I blame myself.", seed=seed).technique for seed in range(40)}
    assert len(vague) > 1
    assert clear == {Technique.PIE_CHART}


def test_a_technique_at_work_is_kept():
    plan = first_plan(Technique.CONTINUUM, phase=Phase.INTERVENTION)
    decision = decided("I'm here.", "I'd say 40.", "At 0 is nobody I know.", plan=plan)
    assert (decision.technique, decision.phase) == (Technique.CONTINUUM, Phase.INTERVENTION)


def test_before_it_has_begun_a_clearly_better_technique_replaces_it():
    plan = first_plan(Technique.CONTINUUM)
    decision = decided("I'm here.", "Yes.", "It's my fault that she left. I blame myself, I feel so guilty.", plan=plan)
    assert decision.technique is Technique.PIE_CHART
    assert decision.phase is Phase.EXPLORATION


def test_a_stalled_plan_changes_the_technique():
    plan = first_plan(Technique.CONTINUUM, phase=Phase.INTERVENTION)
    decision = decided("I'm here.", "I don't know.", "I don't know.", plan=plan)
    assert decision.technique is not Technique.CONTINUUM
    assert decision.phase is Phase.INTERVENTION
    assert "stalled" in decision.reason


def test_a_new_belief_becomes_the_focus():
    plan = first_plan(Technique.CONTINUUM)
    decision = decided("I'm here.", "It was a bad week. I'm a burden to my family.", plan=plan)
    assert decision.focus == "I'm a burden to my family"


def test_when_all_steps_are_done_another_technique_follows():
    plan = first_plan(Technique.CONTINUUM, phase=Phase.INTERVENTION, close=False)
    decision = decided("I'm here.", *["It went well at work that day."] * 4, plan=plan)
    assert decision.technique is not Technique.CONTINUUM
    assert decision.phase is Phase.INTERVENTION


def test_a_closing_session_is_left_to_close():
    plan = first_plan(Technique.CONTINUUM, phase=Phase.CLOSING)
    assert decided("I'm here.", "That covers it, I think so too.", plan=plan).phase is Phase.CLOSING


@given(
    st.lists(st.text(max_size=120), min_size=1, max_size=6),
    st.text(max_size=80),
    st.booleans(),
    st.sampled_from(["en", "zh"]),
)
def test_any_input_gives_a_valid_decision(lines, reason, planned, language):
    plan = first_plan(Technique.PIE_CHART) if planned else None
    decided(*lines, reason=reason, language=language, plan=plan)


@given(st.text(max_size=200))
def test_no_text_scores_below_what_a_technique_starts_with(text):
    nothing = scores("")
    assert all(score >= nothing[technique] for technique, score in scores(text).items())


def test_a_long_first_turn_fits_the_fields():
    decision = decided("I keep thinking that " + "everything I do will fail and " * 60)
    assert len(decision.focus) <= 300
    assert len(decision.reason) <= 400


def test_a_first_line_that_says_little_leaves_the_focus_to_the_reason():
    reason = "I decided to seek counseling because these fears are affecting my sleep."
    assert decided("Hi, to be honest, I've been better.", reason=reason).focus == "These fears are affecting my sleep"
    assert decided("I lie awake because of work.", reason=reason).focus == "I lie awake because of work"


ASKED = {
    "opening": "Hello Mira, what brings you in?",
    "agenda": "We have a bit less than an hour. What would make it worth your while?",
    "situation": "To understand it, I need an example more than a rule. What happened the last time?",
    "thought": "And what was the sentence in your head right then?",
    "feeling": "What feeling followed, and what did you do with it?",
}


def told(thought: str) -> list[tuple[str, str]]:
    said = (
        "I've been better.",
        "The evenings.",
        "On Monday I sat in the car.",
        f'It was "{thought}."',
        "I felt ashamed.",
    )
    return list(zip(ASKED.values(), said, strict=True))


def test_a_thought_that_was_told_becomes_the_focus():
    plan = first_plan(Technique.DECATASTROPHIZING).model_copy(update={"focus": "I've been better"})
    assert session(*told("They will send me home"), plan=plan).focus == "They will send me home"


@pytest.mark.parametrize(
    ("thought", "phase"),
    [("I'm a failure", Phase.INTERVENTION), ("They will send me home", Phase.EXPLORATION)],
)
def test_a_step_that_was_answered_already_is_passed_over(thought, phase):
    plan = first_plan(Technique.EVIDENCE_BASED_QUESTIONING)
    decision = session(*told(thought), plan=plan)
    assert decision.technique is Technique.EVIDENCE_BASED_QUESTIONING
    assert decision.phase is phase


@pytest.mark.parametrize("said", ["No idea.", "Like I said. I'm all right.", "Maybe it wasn't about me."])
def test_reasons_quote_the_client_word_for_word(said):
    plan = first_plan(Technique.CONTINUUM, phase=Phase.INTERVENTION)
    assert f'"{said}"' in decided("I'm here.", "I'd say 40.", said, plan=plan).reason


def remembered(kind: Kind, text: str) -> MemoryRecord:
    return MemoryRecord(owner="counselor", client_id="mira", kind=kind, text=text, session="one", session_number=1)


LAST_TIME = (
    remembered(Kind.SUMMARY, 'We worked on "I will be found out" with the technique Continuum Technique.'),
    remembered(Kind.HOMEWORK, PROTOCOL.techniques[Technique.CONTINUUM].homework),
)


@pytest.mark.parametrize(
    ("report", "goes_on"), [("I did the marks. Most days were a fifty.", True), ("I didn't get round to it.", False)]
)
def test_a_later_session_goes_on_from_the_last_one(report, goes_on):
    messages = [turn("counselor", "How did it go?", exchange=0), turn("client", report, exchange=1)]
    view = {"intake": Intake(name="Mira"), "messages": messages, "counselor_memories": LAST_TIME}
    answer = decide(Request(role="planner", messages=(), view=view, seed=1))
    decision = PlanDecision.model_validate_json(answer.text)
    assert (decision.technique is Technique.CONTINUUM) is goes_on
    assert decision.focus == "I will be found out"
    assert "Last time" in decision.reason
    assert report in decision.reason
