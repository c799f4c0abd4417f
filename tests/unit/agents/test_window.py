"""The context window: what fits stays, what does not is left out in whole exchanges, and the cut stands still."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from counselgraph.agents.prompts import dialogue_for, lay_out
from counselgraph.agents.window import BYTES_PER_TOKEN, LEFT_OUT, MESSAGE_TOKENS, fit
from counselgraph.errors import ContextTooLong
from counselgraph.transcript import CLIENT, COUNSELOR, turn

ROLES = (CLIENT, COUNSELOR, "planner")
lengths = st.lists(st.integers(1, 400), min_size=1, max_size=60)
roles = st.sampled_from(ROLES)


def transcript(said):
    """Turns of given lengths, the counselor's and the client's by turns, each different."""
    speakers = [CLIENT if number % 2 else COUNSELOR for number in range(len(said))]
    texts = [f"{number} {'word ' * (length // 5)}".strip() for number, length in enumerate(said)]
    return [turn(role, text, exchange=n) for n, (role, text) in enumerate(zip(speakers, texts, strict=True))]


def prompt(role, said, card="the card"):
    return lay_out("who you are", dialogue_for(role, transcript(said)), card)


def fitted(role, said, context=1500, card="the card"):
    return fit(prompt(role, said, card), role=role, context_tokens=context, reserve_tokens=200)


def estimate(messages):
    return sum(len(message["content"].encode()) // BYTES_PER_TOKEN + MESSAGE_TOKENS for message in messages)


@given(lengths, roles, st.integers(600, 4000))
def test_what_comes_back_fits(said, role, context):
    assert estimate(fitted(role, said, context).messages) <= context - 200


@given(lengths, roles)
def test_a_prompt_that_fits_is_handed_back_as_it_is(said, role):
    messages = prompt(role, said)
    found = fit(messages, role=role, context_tokens=20_000, reserve_tokens=200)
    assert found.messages is messages
    assert found.left_out == 0


@given(lengths, roles, st.integers(600, 4000))
def test_fitting_twice_is_fitting_once(said, role, context):
    once = fitted(role, said, context)
    twice = fit(once.messages, role=role, context_tokens=context, reserve_tokens=200)
    assert twice.messages == once.messages


@given(lengths, roles, st.integers(600, 4000))
def test_system_last_message_and_order_stay(said, role, context):
    messages, found = prompt(role, said), fitted(role, said, context)
    assert found.messages[0] == messages[0]
    assert found.messages[-1]["content"].endswith("[the card]")
    words = [message["content"] for message in found.messages[1:]]
    kept = "\n\n".join(words).replace(f"{LEFT_OUT}\n\n", "", 1)
    assert "\n\n".join(message["content"] for message in messages[1:]).endswith(kept)
    assert (LEFT_OUT in words[0]) == bool(found.left_out)


@given(lengths, roles, st.integers(600, 4000))
def test_user_and_assistant_still_take_turns(said, role, context):
    shape = [message["role"] for message in fitted(role, said, context).messages]
    assert shape[:2] == ["system", "user"]
    assert all(one != other for one, other in pairwise(shape))


@given(st.lists(st.integers(1, 400), min_size=40, max_size=120), roles)
def test_the_cut_only_moves_on_and_rarely(said, role):
    cuts = [fitted(role, said[:end]).left_out for end in range(1, len(said) + 1, 2)]
    assert cuts == sorted(cuts)
    moves = sum(one != other for one, other in pairwise(cuts))
    tokens = sum(length / BYTES_PER_TOKEN + MESSAGE_TOKENS for length in said)
    # Every move frees four tenths of about 900 tokens, less one exchange.
    assert moves <= 1 + tokens / (0.4 * 900 - 280)


def test_the_cut_stands_still_for_many_exchanges_and_the_prefix_with_it():
    said = [200] * 161
    prompts = [fitted(COUNSELOR, said[:end], context=6000) for end in range(2, 162, 2)]
    kept = [later.messages[: len(one.messages) - 1] == one.messages[:-1] for one, later in pairwise(prompts)]
    assert prompts[-1].left_out > 50
    assert kept.count(False) == len({found.left_out for found in prompts}) - 1
    assert kept.count(False) <= 4


@given(lengths, roles, st.text(max_size=200), st.text(max_size=200))
def test_the_card_does_not_move_the_cut(said, role, one, other):
    cuts = {fitted(role, said, card=f"a{one}").left_out, fitted(role, said, card=f"b{other}").left_out}
    assert len(cuts - {0}) <= 1  # at the edge one of them may still fit whole


def test_a_long_last_message_makes_room_for_itself_once():
    said = [200] * 9
    assert fitted(CLIENT, said).left_out == 0
    long = fitted(CLIENT, [*said, 200, 1500])
    assert long.left_out > 0
    assert long.messages[-1]["content"].startswith("10 word")
    assert fitted(CLIENT, [*said, 200, 200]).left_out < long.left_out


def test_a_told_dialogue_loses_its_oldest_turns_and_keeps_its_card():
    found = fitted("planner", [200] * 30)
    assert len(found.messages) == 2
    paragraphs = found.messages[1]["content"].split("\n\n")
    assert paragraphs[0] == LEFT_OUT
    assert paragraphs[1].startswith(f"Client: {found.left_out} ")
    assert paragraphs[-2].startswith("Client: 29 ")
    assert paragraphs[-1] == "[the card]"


def test_a_client_keeps_its_only_message_however_many_paragraphs_it_has():
    words = "\n\n".join(["word " * 100] * 6)
    messages = lay_out("who", dialogue_for(CLIENT, [turn(COUNSELOR, words, exchange=0)]), "card")
    assert fit(messages, role=CLIENT, context_tokens=1400, reserve_tokens=200).messages == messages


@pytest.mark.parametrize("role", ROLES)
def test_what_cannot_fit_is_refused_with_the_way_out(role):
    with pytest.raises(
        ContextTooLong, match=rf"role '{role}'.*about \d+ tokens.*256 are kept.*has 320.*longer context"
    ):
        fit(prompt(role, [900, 900]), role=role, context_tokens=320, reserve_tokens=256)


@given(st.text(alphabet="汉字かな한글", min_size=50, max_size=400))
def test_characters_of_three_bytes_count_as_a_token_each(text):
    messages = lay_out("", dialogue_for(CLIENT, [turn(COUNSELOR, text, exchange=0)]), "")
    need = len(text) + 2 * MESSAGE_TOKENS + 48
    assume(need > 100)
    assert fit(messages, role=CLIENT, context_tokens=need, reserve_tokens=0).left_out == 0
    with pytest.raises(ContextTooLong):
        fit(messages, role=CLIENT, context_tokens=need - 1, reserve_tokens=0)
