from __future__ import annotations

import pytest

from counselgraph.safety.fold import fold
from counselgraph.safety.levels import Category, Finding, Level, Risk
from counselgraph.safety.replies import Topic, crisis_turn, reply_texts, safe_reply
from counselgraph.safety.reply import asks_directly
from counselgraph.safety.resources import INTERNATIONAL, load_table, resources_for
from counselgraph.safety.rewrite import guidance
from counselgraph.safety.rules import load_book
from counselgraph.safety.screen import screen_reply
from counselgraph.said import Said

LOCALES = [*load_table().countries, INTERNATIONAL]
LANGUAGES = sorted(reply_texts())


def risk(level: int, category: Category = Category.SI_ACTIVE) -> Risk:
    finding = Finding(category=category, level=Level(level), quote="x", source="rules/en:x")
    return Risk(level=Level(level), turn_level=Level(level), findings=(finding,))


def length(reply: str) -> int:
    """Words, or for a language that does not write them apart, half its characters."""
    return len(reply.split()) if reply.isascii() or " " in reply[:40] else len(reply) // 2


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "category", [Category.SI_ACTIVE, Category.ABUSE_VICTIM, Category.HARM_TO_OTHERS, Category.PSYCHOSIS]
)
@pytest.mark.parametrize("level", [2, 3])
def test_a_safe_reply_passes_our_own_screen_and_is_short(level: int, category: Category, language: str, locale: str):
    said: list[str] = []
    for _ in range(4):
        reply = safe_reply(risk(level, category), locale, said, language)
        assert screen_reply(reply, risk=risk(level, category), locale=locale, language=language).findings == ()
        assert length(reply) <= 95
        said.append(reply)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("client", ["I feel so sad and alone.", "I want to talk about my work."])
def test_below_r2_a_safe_reply_takes_up_and_asks_nothing_about_suicide(client: str, language: str):
    said: list[str] = []
    before = [Said("client", client)]
    for _ in range(4):
        reply = safe_reply(risk(1), "US", said, language)
        assert screen_reply(reply, risk=Risk(), locale="US", language=language, before=before).findings == ()
        assert not any(asks_directly(fold(reply), load_book(code)) for code in (language, "en"))
        assert length(reply) <= 40
        said.append(reply)
    assert len(set(said)) == 4


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("level", [4, 5])
@pytest.mark.parametrize("turn", [0, 1, 2, 5])
def test_a_crisis_turn_passes_our_own_screen_and_is_short(turn: int, level: int, language: str, locale: str):
    reply = crisis_turn(risk(level), locale, turn, [], language)
    assert screen_reply(reply, risk=risk(level), locale=locale, language=language).findings == ()
    assert length(reply) <= 95
    emergency = resources_for(locale).emergency
    assert (emergency if emergency.isdecimal() else reply_texts()[language].emergency) in reply


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_hears_voices_or_is_persecuted_is_asked_about_danger_and_neither_agreed_nor_argued_with(language: str):
    said: list[str] = []
    client = {
        "en": "The voices will not stop, and the neighbours are sending them through the wall.",
        "zh": "那些声音一直不停 是邻居隔着墙发过来的。",
        "es": "Las voces no paran, los vecinos me las mandan por la pared.",
        "ja": "声が止まりません。隣の人が壁ごしに送ってくるのです。",
    }[language]
    for _ in range(2):
        stands = risk(3, Category.PSYCHOSIS)
        reply = safe_reply(stands, "US", said, language)
        before = [Said("client", client)]
        assert screen_reply(reply, risk=stands, locale="US", language=language, before=before).findings == ()
        assert asks_directly(fold(reply), load_book(language))
        said.append(reply)
    assert len(set(said)) == len(reply_texts()[language].concern[Topic.VOICES]) == 2


@pytest.mark.parametrize("language", ["fa", "tlh"])
def test_a_language_without_texts_gets_the_english_ones(language: str):
    assert crisis_turn(risk(4), "CN", 0, [], language) == crisis_turn(risk(4), "CN", 0, [])


def test_a_reply_speaks_the_language_of_the_session_with_the_contacts_of_the_country():
    assert "拨打12356" in safe_reply(risk(3), "CN", [], "zh-CN")
    assert "llamar al 024" in safe_reply(risk(3), "ES", [], "es")


def test_no_reply_comes_twice_before_all_were_said():
    said: list[str] = []
    for _ in range(4):
        said.append(safe_reply(risk(2), "US", said))
    assert len(set(said)) == 4
    assert safe_reply(risk(2), "US", said) == said[0]


def test_the_first_crisis_turn_asks_about_safety_and_the_second_hands_over():
    first, second = (crisis_turn(risk(4), "GB", turn, []) for turn in (0, 1))
    assert "Are you safe right now" in first
    assert "116 123" in first
    assert "handed to" in second
    assert "Who is with you" in second


def test_imminent_danger_begins_with_the_emergency_number():
    assert crisis_turn(risk(5), "NZ", 0, []).startswith("Please call 111 now")


def test_later_crisis_turns_differ():
    said: list[str] = []
    for turn in range(4):
        said.append(crisis_turn(risk(4), "US", turn, said))
    assert len(set(said)) == 4


def test_the_question_is_about_what_the_risk_is_about():
    assert "hurting someone" in safe_reply(risk(3, Category.HARM_TO_OTHERS), "US", [])
    assert "not your fault" in safe_reply(risk(2, Category.ABUSE_VICTIM), "US", [])
    assert "hear or notice" in safe_reply(risk(2, Category.PSYCHOSIS), "US", [])


def test_every_topic_has_its_words_in_every_language():
    for texts in reply_texts().values():
        assert set(texts.concern) == set(Topic)
    assert set(guidance().question) == set(guidance().check_in) == set(Topic)
