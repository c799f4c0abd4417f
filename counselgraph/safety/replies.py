"""What the counselor's seat says when safety comes first: fixed texts, chosen without a model."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files

from counselgraph.safety.levels import Category, Frozen, Level, Risk
from counselgraph.safety.resources import Resource, Resources, resources_for
from counselgraph.safety.rules import DEFAULT_LANGUAGE, language_of
from counselgraph.yaml_text import load_yaml


class Topic(StrEnum):
    """What a risk is about, as far as it changes the question to ask."""

    SELF = "self"
    HARMED = "harmed"
    OTHERS = "others"
    ANOTHER = "another"
    VOICES = "voices"


_TOPICS = {
    Category.ABUSE_VICTIM: Topic.HARMED,
    Category.NEGLECT: Topic.HARMED,
    Category.HARM_TO_OTHERS: Topic.OTHERS,
    Category.THIRD_PARTY_RISK: Topic.ANOTHER,
    Category.PSYCHOSIS: Topic.VOICES,
}


class Offers(Frozen):
    """The sentence that offers a service, by the way to reach it."""

    call: str
    call_or_text: str
    text: str
    page: str

    def of(self, service: Resource) -> str:
        """The sentence for one service: "You can call 116 123 (Samaritans, 24/7)."."""
        pattern = self.call_or_text if service.phone and service.text == service.phone else self.call
        if not service.phone:
            pattern = self.text if service.text else self.page
        return pattern.format(**service.model_dump())


class Texts(Frozen):
    """The content of `replies/<language>.yaml`.

    Attributes:
        offers: How a service is offered.
        emergency: What to say where there is no one emergency number.
        calm: Below R2: take it up and ask one open question; the draft was at fault, not the client in danger.
        concern: At R2, by topic: take it up, ask directly, offer one service.
        active: At R3, by topic: the same, and ask for plan, means and time.
        imminent: At R5, the first turn of the protocol.
        crisis: From R4 up, by turn: safety now, then the way to a person; the last ones are for longer waits.
    """

    offers: Offers
    emergency: str
    calm: tuple[str, ...]
    concern: dict[Topic, tuple[str, ...]]
    active: dict[Topic, tuple[str, ...]]
    imminent: str
    crisis: tuple[str, ...]

    def filled(self, text: str, resources: Resources) -> str:
        """A text with the contacts of a country."""
        emergency = resources.emergency if resources.emergency.isdecimal() else self.emergency
        return text.strip().format(line=self.offers.of(resources.first), emergency=emergency)


def safe_reply(risk: Risk, locale: str, said: Sequence[str], language: str = DEFAULT_LANGUAGE) -> str:
    """A counselor's turn for R0 to R3, to use where no model's draft may be said.

    It takes up what was said without repeating it. From R2 up it asks a direct question and offers one service; below,
    nobody is asked about suicide because a draft was at fault, and it asks one open question.

    Args:
        risk: The standing risk of the client.
        locale: Whose services to name (see `resources_for`).
        said: What the counselor has said so far; nothing is said again before everything has been said once.
        language: Language code; English where there are no texts for it.
    """
    texts, topic, resources = _texts(language), topic_of(risk), resources_for(locale)
    options = texts.calm if risk.level < Level.PASSIVE else texts.concern[topic]
    if risk.suspends_plan:
        options = texts.active.get(topic, options)
    return _fresh([texts.filled(text, resources) for text in options], said)


def crisis_turn(risk: Risk, locale: str, turn: int, said: Sequence[str], language: str = DEFAULT_LANGUAGE) -> str:
    """A counselor's turn of the crisis protocol, for R4 and R5.

    Args:
        risk: The standing risk of the client.
        locale: Whose services to name (see `resources_for`).
        turn: 0 for the first turn of the protocol: are you safe, emergency number, crisis line, distance from means.
            1 for the second: hand over to a person. Later turns stay with the client until that person is there.
        said: What the counselor has said so far; nothing is said again while there is another text.
        language: Language code; English where there are no texts for it.
    """
    texts, resources = _texts(language), resources_for(locale)
    if turn <= 0:
        return texts.filled(texts.imminent if risk.level >= Level.IMMINENT else texts.crisis[0], resources)
    start = min(turn, len(texts.crisis) - 1)
    return _fresh([texts.filled(text, resources) for text in texts.crisis[start:] + texts.crisis[1:start]], said)


def topic_of(risk: Risk) -> Topic:
    """What the gravest finding of the last turn is about; the speaker's own life unless it says otherwise."""
    return _TOPICS.get(risk.findings[0].category, Topic.SELF) if risk.findings else Topic.SELF


def _fresh(options: Sequence[str], said: Sequence[str]) -> str:
    """The first option not said yet; when all have been, the one said longest ago."""
    last_said = {text: place for place, text in enumerate(said)}
    return min(options, key=lambda option: last_said.get(option, -1))


def _texts(language: str) -> Texts:
    every = reply_texts()
    return every.get(language_of(language), every[DEFAULT_LANGUAGE])


@lru_cache(maxsize=1)
def reply_texts() -> dict[str, Texts]:
    """The texts of every language that has some, read at once."""
    folder = files("counselgraph.safety") / "replies"
    return {
        path.name.removesuffix(".yaml"): Texts.model_validate(load_yaml(path.read_text(encoding="utf-8")))
        for path in folder.iterdir()
        if path.name.endswith(".yaml")
    }
