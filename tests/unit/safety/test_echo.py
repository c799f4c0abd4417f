from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counselgraph.safety.echo import leaked, parroted, repeated
from counselgraph.safety.fold import fold
from counselgraph.safety.levels import Category, Risk
from counselgraph.safety.screen import screen_reply
from counselgraph.said import Said

LONG = "It sounds as if the evenings are the worst, when the house is quiet and nobody calls you."
SECRET = "Her sister Marta left the clinic in spring and has told nobody at work about the drinking since then."


def test_a_counselor_that_says_nearly_the_same_again_repeats_a_script():
    again = LONG.replace("worst", "hardest").replace("It sounds", "To me it sounds")
    [finding] = repeated(fold(LONG), [LONG, "What helps?", "I see."])
    assert (finding.category, finding.level) == (Category.REPETITIVE_SCRIPT, 2)
    assert [one.level for one in repeated(fold(again), [LONG])] == [1]


def test_only_the_last_three_turns_count_and_short_ones_do_not():
    others = ["What happened then?", "And your brother?", "How was that for you?"]
    assert not list(repeated(fold(LONG), [LONG, *others]))
    assert not list(repeated(fold("How was that for you?"), others))


def test_the_clients_own_i_said_back_is_no_reply():
    said = fold("I wish I was ill, so that somebody would look after me.")
    assert [one.level for one in parroted(fold("I wish I was ill."), said, at_risk=False)] == [3]
    assert not list(parroted(fold("You wish you were ill."), said, at_risk=False))
    assert not list(parroted(fold("I hear how tired you are."), said, at_risk=False))


def test_a_run_of_a_private_text_gives_it_away():
    reply = f"I know more than you think: {SECRET[:70]}, and so on."
    [finding] = leaked(fold(reply), [SECRET], [])
    assert finding.category is Category.PRIVACY_LEAK
    assert finding.quote == "Her sister Marta left the clinic in spring and has told nobody at work"


def test_what_the_client_said_and_what_may_be_offered_gives_nothing_away():
    offer = "You can call the Harbour Line on 123 456 (day and night, in English and in Welsh)."
    assert not list(leaked(fold(SECRET), [SECRET], [f"As I said: {SECRET}"]))
    assert list(leaked(fold(offer), [offer], []))
    assert not list(leaked(fold(offer), [offer], [], ["Harbour Line"]))


@pytest.mark.parametrize(
    "secret", ["她的妹妹玛丽春天离开了诊所之后一直没有告诉任何同事。", "Marta drinks again since March."]
)
def test_short_and_chinese_secrets_are_kept_as_well(secret: str):
    assert list(leaked(fold(f"{secret} OK?"), [secret], []))
    assert not list(leaked(fold("Marta drinks. 她的妹妹玛丽。"), [secret], []))


def test_a_screened_reply_is_compared_with_the_dialogue_and_the_private_texts():
    before = [Said("counselor", LONG), Said("client", "Yes.")]
    found = [
        screen_reply(reply, risk=Risk(), locale="US", before=before, private=[SECRET]).findings[0].category
        for reply in (LONG, SECRET)
    ]
    assert found == [Category.REPETITIVE_SCRIPT, Category.PRIVACY_LEAK]


@given(st.text(), st.lists(st.text(), max_size=3))
def test_any_text_can_be_compared_and_every_quote_is_in_it(reply: str, private: list[str]):
    folded = fold(reply)
    found = [*leaked(folded, private, ()), *repeated(folded, private), *parroted(folded, folded, at_risk=True)]
    assert all(one.quote in reply for one in found)
