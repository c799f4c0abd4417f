from __future__ import annotations

import itertools
import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.client.scene import gives_nothing
from counselgraph.models.rehearsal.speech import Speech, normal
from counselgraph.personas.importers import cactus
from counselgraph.personas.persona import Attitude, Persona
from counselgraph.transcript import COUNSELOR, turn
from tests.unit.rehearsal.client_driver import CLOSING, EVIDENCE, EXPLORING, PIE, ask, bare, form, person, play

SESSION = (*EXPLORING, *EVIDENCE, *CLOSING)
ODD_LINES = ("Mhm.", "Tell me more.", "Why?", "...", "And what colour would that have?", "Go on.", "I see.")


def every_fresh(lines: list[str]) -> bool:
    return all(Speech(0, lines[:place]).fresh(line) for place, line in enumerate(lines))


def test_the_same_view_and_seed_give_the_same_words():
    assert play(person(), SESSION, seed=3) == play(person(), SESSION, seed=3)


def test_another_seed_gives_another_session():
    sessions = {tuple(play(person(), SESSION, seed=seed)) for seed in range(6)}
    assert len(sessions) == 6


def test_the_client_speaks_from_its_view_alone():
    messages = [turn(COUNSELOR, EXPLORING[0], exchange=0)]
    secret = {"plan": "pie_chart", "risk": 5, "intake": "secret", "counselor_memories": ("secret",)}
    plain = ask(person(), messages, exchange=1, seed=7)
    assert ask(person(), messages, exchange=1, seed=7, extra=secret) == plain


@pytest.mark.parametrize("persona", [person(), form(), bare(), person(attitude="negative", receptivity=0.1)])
@pytest.mark.parametrize(
    "line", ["Tell me more.", "Which facts speak for it?", "It sounds like a lot.", "How likely is it, 0 to 100?"]
)
def test_no_turn_is_said_twice_in_eighty_exchanges(persona: Persona, line: str):
    said = play(persona, [EXPLORING[0], *[line] * 79])
    assert every_fresh(said)


@settings(max_examples=25, deadline=None)
@given(
    lines=st.lists(st.sampled_from([*SESSION[:-1], *PIE, *ODD_LINES]), min_size=1, max_size=25),
    attitude=st.sampled_from(list(Attitude)),
    seed=st.integers(0, 9),
)
def test_any_order_of_questions_gets_fresh_whole_turns(lines: list[str], attitude: Attitude, seed: int):
    said = play(form(attitude=attitude), lines, seed=seed)
    assert every_fresh(said)
    assert all(normal(line) and "{" not in line and "  " not in line for line in said)
    assert all(re.search(r"[.!?\"…]$", line) for line in said)


@pytest.mark.parametrize("persona", [form(), bare()])
def test_unknown_values_are_never_spoken(persona: Persona):
    said = " ".join(play(persona, [*SESSION, *["Have you had treatment before?", "How is work?", "Tell me more."] * 5]))
    assert not re.search(r"not specified|n/a\b|\bnone\b", said, re.IGNORECASE)


def test_written_sentences_are_spoken():
    said = " ".join(play(form(attitude="positive"), [*SESSION, *["Tell me more."] * 10]))
    assert "I will never" not in said
    assert "I'll never finish my thesis" in said
    assert "seek counseling" not in said
    assert "leading to feelings" not in said


def test_the_thought_of_a_form_is_found_in_its_statement():
    assert '"I\'ll never finish my thesis."' in " ".join(play(form(attitude="positive"), EXPLORING, seed=1))


def test_a_story_is_told_over_time():
    said = play(person(), [*SESSION[:-1], *["Tell me more."] * 6])
    problem = person().presenting_problem
    first = [line for line in (problem.statement, problem.onset, problem.course, problem.triggers) if line in said[0]]
    assert first == [problem.statement]
    assert sum(line in " ".join(said) for line in (problem.course, problem.triggers, problem.coping)) >= 2


def test_a_persona_without_conceptualization_still_answers_everything():
    said = play(bare(), SESSION)
    assert len(said) == len(SESSION)
    assert not any(gives_nothing(line) for line in said)


def test_a_habit_is_not_used_in_two_turns_running():
    said = play(person(style={"habits": ["if that makes sense"]}), [EXPLORING[0], *["Tell me more."] * 30])
    used = ["if that makes sense" in line for line in said]
    assert any(used)
    assert not any(now and then for now, then in itertools.pairwise(used))


def test_another_language_stays_whole_and_alone():
    german = Persona.model_validate(
        {
            "id": "uli",
            "name": "Uli",
            "language": "de",
            "presenting_problem": {"statement": "Ich schlafe kaum noch.", "onset": "Es begann im März."},
        }
    )
    said = play(german, [EXPLORING[0], "When did it start?", *EXPLORING[2:]])
    assert said[:2] == ["Ich schlafe kaum noch.", "Es begann im März."]
    assert every_fresh(said)


def test_a_farewell_is_answered_with_a_goodbye_and_nothing_else():
    lines = {line for tone in ("say", "warm", "cool") for line in bank("client_answers")["farewell"][tone]}
    for attitude in Attitude:
        assert play(person(attitude=attitude), SESSION)[-1] in lines


def test_phrases_of_a_willing_client_never_read_as_held():
    lines = list(_lines(bank("client_answers"))) + [
        line for name in ("nod", "validation", "unknown", "exhausted") for line in _lines(bank("client_frames")[name])
    ]
    assert [line for line in lines if gives_nothing(line)] == []
    assert all(gives_nothing(line) for line in bank("client_frames")["held"])


def _lines(node: object) -> list[str]:
    if isinstance(node, dict):
        return [line for key, value in node.items() if key != "tell" for line in _lines(value)]
    if isinstance(node, list):
        return [line for value in node for line in _lines(value)]
    return [node] if isinstance(node, str) and " " in node else []


@pytest.mark.data
def test_real_intake_forms_are_spoken_without_gaps(test_data):
    people = [found for found in cactus.read(test_data / "cactus" / "intake_dev.json") if isinstance(found, Persona)]
    assert len(people) == 60
    for persona in people[::5]:
        said = play(persona, SESSION)
        assert every_fresh(said)
        assert not re.search(r"not specified|\{|\bthese \w+(?:ness|ence|acy) ", " ".join(said), re.IGNORECASE)


FACTS = {
    "presenting_problem": {
        "statement": "I can't seem to run far any more.",
        "triggers": "It happens every time I lace up my shoes and head out.",
        "coping": "I've tried to run further with a plan, and it hasn't helped.",
    },
    "conceptualization": {"automatic_thoughts": ["I can't run far"]},
    "functioning": {"work": "My job performance has not been affected."},
    "supports": [],
}


def last_of(persona: Persona, question: str) -> list[str]:
    return [play(persona, [EXPLORING[0], question], seed=seed)[-1] for seed in range(10)]


def test_facts_fit_the_thought_that_is_weighed():
    runner = person(**FACTS)
    for said in last_of(runner, 'Which facts, not feelings, speak for the thought "I can\'t run far"?'):
        assert "job performance" not in said
    assert any("run further" in said for said in last_of(runner, 'Which facts speak for "I can\'t run far"?'))
    for said in last_of(runner, "And which facts don't quite fit \"I can't run far\", small ones too?"):
        assert "job performance" not in said


def test_asked_for_a_moment_the_client_tells_one():
    for said in last_of(person(**FACTS), EXPLORING[2]):
        assert "when I laced up my shoes and headed out" in said
    for said in last_of(person(), EXPLORING[2]):
        assert "On Wednesday" in said


def test_asked_to_choose_a_topic_the_client_names_a_piece_of_its_own():
    for said in last_of(person(goals=["I want to say one sentence in a meeting."]), "What shall we work on today?"):
        assert "I want to say one sentence in a meeting." in said


def test_asked_to_agree_the_client_agrees_or_corrects():
    bank_entry = bank("client_answers")["agenda_agree"]
    starts = [line.split("{")[0] for kind in ("say", "warm", "cool", "corrects") for line in bank_entry[kind]]
    for said in last_of(person(), "Shall we take that as our topic for today?"):
        assert any(start in said for start in starts)


def test_after_the_summary_the_doubted_thought_is_the_one_worked_on():
    line = (
        'The thought in the middle of it was "I\'m going to shake again." Does that cover it, or is anything missing?'
    )
    doubted = [
        said for said in (play(person(), [*EXPLORING, line], seed=seed)[-1] for seed in range(40)) if '"' in said
    ]
    assert doubted
    assert all("I'm going to shake again" in said for said in doubted)


def test_phrase_banks_name_each_ask_once():
    class Strict(yaml.SafeLoader):
        pass

    def pairs(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[str, object]:
        keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"doubled: {sorted({key for key in keys if keys.count(key) > 1})}"
        return dict(zip(keys, (loader.construct_object(value, deep=True) for _, value in node.value), strict=True))

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, pairs)
    from importlib.resources import files

    folder = files("counselgraph.models.rehearsal") / "phrases"
    for name in ("answers", "frames", "lexicon", "reading"):
        yaml.load((folder / f"client_{name}.yaml").read_text(encoding="utf-8"), Strict)
