"""Layout of prompts: role flip, alternation, and what stays before what changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.agents.prompts import dialogue_for, lay_out, render
from counselgraph.transcript import CLIENT, COUNSELOR, turn

words = st.text(min_size=1, max_size=30).filter(str.strip)
turns = st.lists(st.tuples(st.sampled_from([CLIENT, COUNSELOR, "family"]), words), max_size=14)


def transcript(said):
    return [turn(role, text, exchange=number) for number, (role, text) in enumerate(said)]


@given(turns, st.sampled_from([CLIENT, COUNSELOR, "family", "supervisor"]))
def test_role_flip_keeps_every_word_of_everybody(said, role):
    flipped = dialogue_for(role, transcript(said))
    joined = "\n".join(message["content"] for message in flipped)
    for _, text in said:
        assert text in joined


@given(turns, st.sampled_from([CLIENT, COUNSELOR]))
def test_own_turns_are_the_assistants_and_nobody_elses(said, role):
    flipped = dialogue_for(role, transcript(said))
    own = [text for speaker, text in said if speaker == role]
    assert [message["content"] for message in flipped if message["role"] == "assistant"] == own


def test_role_flip_keeps_the_first_client_line():
    said = transcript([(CLIENT, "It began in May."), (COUNSELOR, "What began?")])
    assert dialogue_for(COUNSELOR, said)[0] == {"role": "user", "content": "It began in May."}


@given(turns, st.sampled_from([CLIENT, COUNSELOR, "supervisor"]), st.sampled_from(["", "one card"]))
def test_a_prompt_starts_with_the_system_and_ends_with_the_user(said, role, card):
    messages = lay_out("who you are", dialogue_for(role, transcript(said)), card)
    assert messages[0] == {"role": "system", "content": "who you are"}
    assert messages[1]["role"] == "user"
    assert messages[-1]["role"] == "user"
    assert all(message["content"] for message in messages)


@given(turns.filter(lambda said: len(said) > 1))
def test_a_longer_dialogue_changes_nothing_before_its_last_messages(said):
    said = [*said, (CLIENT, "and then")]
    before = lay_out("who", dialogue_for(COUNSELOR, transcript(said[:-1])), "card one")
    after = lay_out("who", dialogue_for(COUNSELOR, transcript(said)), "card two")
    stable = len(before) - 1
    assert after[:stable] == before[:stable]


def test_the_turn_card_goes_last_and_only_once():
    messages = lay_out("who", dialogue_for(COUNSELOR, transcript([(CLIENT, "Hello."), (COUNSELOR, "Hi.")])), "do this")
    assert messages[-1] == {"role": "user", "content": "[do this]"}
    assert sum("do this" in message["content"] for message in messages) == 1


def test_a_dollar_in_a_persona_stays_a_dollar():
    text = render("client", case="It costs $case and $5 {braces}", attitude="a", language="English")
    assert "It costs $case and $5 {braces}" in text


def test_a_prompt_with_a_place_left_empty_is_refused():
    with pytest.raises(KeyError):
        render("client", case="x")
