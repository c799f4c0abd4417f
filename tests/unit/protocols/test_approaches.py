"""The approaches as data: complete, told apart, heard in a client's words, and refused with a reason when broken."""

from __future__ import annotations

import copy
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from counselgraph.errors import ConfigError, InputError
from counselgraph.protocols.approach import ApproachDecision, heard_signs, read_markers
from counselgraph.protocols.files import PACKAGE, read_protocol_file
from counselgraph.protocols.plan import Decision, PlanDecision, Trigger, assemble, decision_type
from counselgraph.protocols.protocol import Protocol, load_approaches, load_protocol
from counselgraph.protocols.technique import TECHNIQUES, ApproachName, Phase, approach_of, technique_named

every_approach = pytest.mark.parametrize("name", list(ApproachName))
SHARED = {"agenda", "summary", "homework", "farewell"}
WORDS = 45
"""Most words of an aim: it is one part of a turn card, read by a small model."""


@every_approach
def test_a_protocol_is_complete_and_its_own(name: ApproachName) -> None:
    protocol = load_protocol(name)
    assert protocol is load_protocol(name)
    assert protocol.protocol is protocol.approach.name is name
    assert list(protocol.techniques) == list(TECHNIQUES[name])
    assert set(protocol.phasing) == set(Phase)
    assert protocol.choosing
    assert len(protocol.techniques) >= 6
    assert all(3 <= len(way.steps) <= 5 for way in protocol.techniques.values())
    assert all(way.label and way.use_when.endswith(".") and way.homework for way in protocol.techniques.values())


@every_approach
def test_what_the_counselor_reads_is_short_whole_sentences(name: ApproachName) -> None:
    protocol = load_protocol(name)
    steps = [step for steps in protocol.phases.values() for step in steps]
    steps += [step for way in protocol.techniques.values() for step in way.steps]
    assert [step.id for step in steps if len(step.aim.split()) > WORDS or step.aim[-1] not in ".?"] == []
    assert all(len(rule.split()) <= WORDS for rule in protocol.approach.stance)


@every_approach
def test_every_technique_has_its_turn_from_agenda_to_farewell(name: ApproachName) -> None:
    protocol = load_protocol(name)
    for technique in TECHNIQUES[name]:
        steps = protocol.steps_from(Phase.AGENDA, technique, close=True)
        assert list(dict.fromkeys(step.phase for step in steps)) == list(Phase)
        assert [step.id for step in steps][-3:] == ["summary", "homework", "farewell"]


def test_techniques_and_steps_are_told_apart_across_approaches() -> None:
    techniques = [technique for listed in TECHNIQUES.values() for technique in listed]
    assert len(techniques) == len({str(technique) for technique in techniques}) == 42
    labels = [way.label for name in ApproachName for way in load_protocol(name).techniques.values()]
    assert len(labels) == len(set(labels))
    steps: Counter[str] = Counter()
    for name in ApproachName:
        protocol = load_protocol(name)
        own = [step.id for way in protocol.techniques.values() for step in way.steps]
        own += [step.id for part in protocol.phases.values() for step in part]
        steps.update(own)
    assert {step for step, times in steps.items() if times > 1} == SHARED


def test_a_technique_is_found_by_name_and_knows_its_approach() -> None:
    for name, listed in TECHNIQUES.items():
        for technique in listed:
            assert technique_named(str(technique)) is technique
            assert approach_of(technique) is name
    with pytest.raises(ConfigError, match="'hypnosis'"):
        technique_named("hypnosis")


@every_approach
def test_a_planner_may_choose_among_one_approach_only(name: ApproachName) -> None:
    kind = decision_type(name)
    assert kind is decision_type(name)
    enums = [part["enum"] for key, part in kind.model_json_schema()["$defs"].items() if key != "Phase"]
    assert enums == [list(TECHNIQUES[name])]
    told = {"focus": "f", "hypothesis": "h", "phase": "agenda", "reason": "r"}
    for other, listed in TECHNIQUES.items():
        given = told | {"technique": str(next(iter(listed)))}
        if other is name:
            assert kind.model_validate(given).technique in listed
        else:
            with pytest.raises(ValidationError):
                kind.model_validate(given)


def test_the_default_decision_is_the_one_it_always_was() -> None:
    assert decision_type() is PlanDecision
    assert list(PlanDecision.model_json_schema()["properties"]) == [
        "technique",
        "focus",
        "hypothesis",
        "phase",
        "reason",
    ]


@every_approach
def test_a_plan_of_any_approach_comes_back_from_json_with_its_protocol(name: ApproachName) -> None:
    protocol = load_protocol(name)
    for technique in TECHNIQUES[name]:
        decision = Decision(technique=technique, focus="f", hypothesis="h", phase=Phase.INTERVENTION, reason="r")
        plan = assemble(decision, protocol, previous=None, exchange=1, trigger=Trigger.START, level=0, close=False)
        back = type(plan).model_validate_json(plan.model_dump_json())
        assert back == plan
        assert back.technique is technique
        assert (back.approach, back.protocol) == (name, protocol)
        assert [step.id for step in back.steps] == [step.id for step in protocol.techniques[technique].steps]


@every_approach
def test_a_review_knows_when_an_approach_fits_and_where_to_go_from_it(name: ApproachName) -> None:
    approach = load_protocol(name).approach
    assert min(len(approach.fits), len(approach.helping), len(approach.misfit), len(approach.stance)) >= 3
    others = [turn.approach for turn in approach.turn_to]
    assert len(others) == len(set(others)) >= 3
    assert name not in others
    signs = [*approach.fits, *approach.helping, *approach.misfit]
    assert len({sign.id for sign in signs}) == len(signs)
    assert all(sign.says.startswith(("The ", "There ", "A ", "Somebody ", "Fear ", "Tasks ")) for sign in signs)


def test_every_approach_can_be_left_and_reached() -> None:
    reached = {turn.approach for approach in load_approaches() for turn in approach.turn_to}
    assert reached == set(ApproachName)
    assert [approach.name for approach in load_approaches()] == list(ApproachName)


HELPING = {
    "cbt": ["Maybe it wasn't about me at all.", "I tried the list, and it went better than I thought."],
    "motivational_interviewing": ["I want to cut down.", "I\u2019m going to call my sister on Sunday."],
    "person_centred": ["I'm scared, right now, as I say it.", "No, not quite, it's more like being left behind."],
    "solution_focused": ["Last Tuesday was better.", "I'd get up and cook, and my son would notice."],
    "acceptance_and_commitment": ["There's that thought again.", "I was still afraid, and I went anyway."],
}
MISFIT = {
    "cbt": ["I know it makes sense, but I still feel worthless.", "You don't understand."],
    "motivational_interviewing": ["I don't want to stop.", "Stop lecturing me."],
    "person_centred": ["Just tell me what to do.", "You're just repeating what I say."],
    "solution_focused": ["It's not that easy.", "Nothing ever helps."],
    "acceptance_and_commitment": ["This is silly.", "So I should just put up with it?"],
}
NEUTRAL = ["We had lunch at noon.", "My sister lives in Leeds.", "Yes.", "It rained on the way here."]


@every_approach
def test_markers_are_heard_in_what_a_client_says(name: ApproachName) -> None:
    approach = load_protocol(name).approach
    good, bad = read_markers(approach, HELPING[name]), read_markers(approach, MISFIT[name])
    assert good.balance == sum(heard.times for heard in good.helping) >= len(HELPING[name])
    assert bad.balance == -sum(heard.times for heard in bad.misfit) <= -len(MISFIT[name])
    assert read_markers(approach, NEUTRAL).balance == 0
    assert read_markers(approach, HELPING[name], "fa").helping == ()


def test_a_sign_says_where_it_was_first_heard_and_how_often() -> None:
    approach = load_protocol("motivational_interviewing").approach
    (heard,) = heard_signs(approach.misfit, ["Hello.", "It's not a problem.", "Fine.", "It's no big deal."])
    assert (heard.sign.id, heard.turn, heard.times) == ("sustain_talk", 1, 2)


CALLS = {
    "importance_ruler": "It's not really a big problem.",
    "confidence_ruler": "I've tried to quit so many times, I can't stick with it.",
    "values_discrepancy": "That's not the kind of father I want to be.",
    "change_planning": "I've made up my mind, so how do I start?",
    "felt_sense": "It's hard to explain, a knot in my stomach.",
    "immediacy": "I'm wasting your time.",
    "exception_finding": "Some days are fine, except when he calls.",
    "coping_questions": "I can't go on like this, I barely sleep.",
    "workability": "I've tried everything to get rid of it.",
    "cognitive_defusion": "My head won't stop, over and over.",
    "observing_self": "I've always been like this, that's just who I am.",
    "committed_action": "When I feel better I'll apply, so I keep putting it off.",
}


@pytest.mark.parametrize(("technique", "said"), CALLS.items())
def test_a_technique_is_called_for_more_than_any_other_by_words_that_fit_it(technique: str, said: str) -> None:
    wanted = technique_named(technique)
    ways = load_protocol(approach_of(wanted)).techniques
    scores = {
        name: sum(weight for cue, weight in way.cues["en"].items() if re.search(cue, said, re.IGNORECASE))
        for name, way in ways.items()
    }
    assert max(scores, key=lambda name: scores[name]) is wanted
    assert list(scores.values()).count(scores[wanted]) == 1


@every_approach
def test_a_rehearsal_has_something_to_go_by(name: ApproachName) -> None:
    if name is ApproachName.CBT:
        assert all(not way.cues for way in load_protocol(name).techniques.values())
        return
    for way in load_protocol(name).techniques.values():
        assert way.seen
        assert way.cues["en"]


def test_a_review_keeps_or_changes_among_the_approaches_there_are() -> None:
    schema = ApproachDecision.model_json_schema()
    assert schema["$defs"]["ApproachName"]["enum"] == list(ApproachName)
    with pytest.raises(ValidationError):
        ApproachDecision.model_validate({"decision": "change", "approach": "astrology", "evidence": "x", "reason": "y"})


def test_an_unknown_approach_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="did you mean 'person_centred'"):
        load_protocol("person_centered")


def broken(folder: Path, change: Any) -> InputError:
    raw = yaml.safe_load((PACKAGE / "person_centred.yaml").read_text(encoding="utf-8"))
    changed = copy.deepcopy(raw)
    change(changed)
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(changed, allow_unicode=True), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_protocol_file(path, Protocol)
    return caught.value


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda raw: raw.pop("techniques"), "techniques"),
        (lambda raw: raw.update(protocol="astrology"), "protocol"),
        (lambda raw: raw["phases"].pop("closing"), "phases.closing"),
        (lambda raw: raw["phases"]["closing"].pop(), "phases.closing"),
        (lambda raw: raw["techniques"].pop("immediacy"), "techniques.immediacy"),
        (lambda raw: raw["techniques"].update(immediacyy=raw["techniques"]["immediacy"]), "techniques.immediacyy"),
        (lambda raw: raw["techniques"]["immediacy"].update(steps=[]), "techniques.immediacy.steps"),
        (lambda raw: raw["techniques"]["immediacy"]["steps"][0].pop("id"), "techniques.immediacy.steps.1"),
        (lambda raw: raw["techniques"]["immediacy"]["steps"][1].update(id="agenda"), "techniques.immediacy.steps.2"),
        (lambda raw: raw["techniques"]["immediacy"].pop("homework"), "techniques.immediacy.homework"),
        (lambda raw: raw["techniques"]["immediacy"]["steps"][0].update(goal="x"), "techniques.immediacy.steps.1.goal"),
        (lambda raw: raw["techniques"]["immediacy"].update(cues={"en": {"(": 1}}), "techniques.immediacy.cues"),
        (lambda raw: raw["approach"]["fits"][0].update(cues={"en": ["["]}), "approach.fits.1.cues"),
        (lambda raw: raw["approach"]["turn_to"][0].update(approach="x"), "approach.turn_to.1.approach"),
        (lambda raw: raw.update(patience=0), "patience"),
        (lambda raw: raw.pop("phasing"), "phasing"),
    ],
)
def test_a_broken_file_is_named_with_field_and_fix(change: Any, field: str, tmp_path: Path) -> None:
    error = broken(tmp_path, change)
    assert (error.file, error.field) == ("mine.yaml", field)
    assert error.fix


@pytest.mark.parametrize(("text", "part"), [("a: [", "not valid YAML"), ("- a", "mapping"), (None, "cannot be read")])
def test_a_file_that_is_no_protocol_at_all(text: str | None, part: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=part):
        read_protocol_file(path, Protocol)
