"""How a client that changes lets its state be heard: words that go before and after what it answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from counselgraph.models.rehearsal.bank import bank
from counselgraph.models.rehearsal.client.scene import Scene
from counselgraph.models.rehearsal.client.state import SUSTAINS
from counselgraph.models.rehearsal.reading import RATINGS, content_words
from counselgraph.models.rehearsal.speech import normal
from counselgraph.models.rehearsal.words import sentences
from counselgraph.personas.motivation import Stage
from counselgraph.personas.moves import Action, Tells
from counselgraph.personas.readiness import Readiness, profile_of

_FEELS, _EASES, _STAYS, _AGAIN = 0.6, 0.25, 0.3, 0.7
_BEFORE = 0.5
_MIDDLE, _LATE = 0.4, 0.8
"""Share of the stages from which a complaint lies in the middle, and at the bottom."""
_ENOUGH = 4
"""Words of a sentence that is an answer by itself."""
_MATTER = 3
"""Topic words by which a sentence is known again in others."""
_LETS_GO = 2
"""Turns at a stage after which it is come back to."""
_OUTRIGHT = 0.4
_SAYS = {Action.INFORM: 0.5, Action.ENGAGE: 0.7, Action.HESITATE: 0.85}
_MOST_REPORTS = 3
_DOING = re.compile(r"^(?!doing something\b)\w+ing\b(?!.*\byou)", re.IGNORECASE)
"""A change that is named by what is done ("checking my body less")."""
_REPORTS = 0.95
"""How often a client says in words what it does with a turn, where that is not nearly always."""
_FIRST = frozenset({Action.ACCEPT, Action.REJECT, Action.ENGAGE})
"""What is said before the answer; the rest is said after it."""
_NEVER = frozenset({"risk_question", "risk_means", "risk_protective", "safety_step", "farewell", "summary"})
_AGREED = frozenset({"homework", "consent", "agenda_agree", "what_stays"})
"""Asks that only what bears on an offer goes with."""
_OFFERED = frozenset({Action.ACCEPT, Action.PLAN})
_OPEN = frozenset({"unknown", "more", "nod", "thought", "feeling", "feeling_action", "behaviour", "belief"})
_ROLE_PLAY = frozenset({"first_try", "second_try", "hold_ground", "i_sentence"})


class Colour(NamedTuple):
    """Words around an answer; `instead` takes its place."""

    before: str = ""
    after: str = ""
    instead: bool = False

    def around(self, text: str) -> str:
        """The answer with these words."""
        return " ".join(part for part in (self.before, "" if self.instead else text, self.after) if part)


def colour(scene: Scene, text: str) -> Colour:
    """What the client's state adds to an answer; nothing for a client that does not change."""
    state = scene.state
    asks = set(scene.reading.asks)
    if asks & (_NEVER | _ROLE_PLAY) or (state.emotion is None and state.readiness is None):
        return Colour()
    if not scene.material.english:
        return Colour(after=_untold(scene, text))
    if state.readiness is not None:
        return _moved(scene, state.readiness, text)
    return _opened(scene, text) or _felt(scene, text)


def as_much_as(scene: Scene, parts: list[str]) -> list[str]:
    """As much of an answer as the client has in it: of one that feels worse than at rest, or refuses, a sentence."""
    if scene.state.stretch >= 1 or not RATINGS.isdisjoint(scene.reading.asks) or not scene.material.english:
        return parts
    told = sentences(parts[0])
    return [" ".join(told[:1] if len(told[0].split()) >= _ENOUGH else told[:2])]


def has_something_to_say(scene: Scene) -> bool:
    """Whether the state has brought up something that must not be held back."""
    return bool(_untold(scene))


def _untold(scene: Scene, answer: str = "") -> str:
    """What the state lets the client tell, and neither its turns nor this answer have told; "" if there is nothing."""
    ready = scene.state.readiness
    may = scene.state.complaints_of_now() if ready is None else [ready.telling] if ready.telling else []
    text = next((text for text in may if not scene.told(text)), "")
    return " ".join(part for part in sentences(text) if not _holds(answer, part))


def _holds(answer: str, part: str) -> bool:
    words = content_words(part)
    return normal(part) in normal(answer) or (len(words) >= _MATTER and words <= content_words(answer))


def _opened(scene: Scene, answer: str) -> Colour | None:
    """The complaint as it unfolds: a new stage is said, and one of an earlier session is said once more."""
    complaint, words = scene.state.complaint, bank("client/emotion")
    if complaint is None or not complaint.text:
        return None
    text = _untold(scene, answer)
    if text:
        # The first of all is what the client comes with, and nothing leads up to it.
        deep = (complaint.stage - 1) / max(complaint.stages - 1, 1)
        kind = "late" if deep >= _LATE else "middle" if deep >= _MIDDLE else "early"
        lead = "" if complaint.stage == 1 else _pick(scene, words["opens"][kind])
        return Colour(after=f"{lead} {text}".strip())
    if _definite(scene) or scene.state.sunk or scene.exchange <= 1:
        return None
    if scene.speech.fresh(complaint.text) and scene.sometimes(_AGAIN):
        lines = [line.replace("{text}", complaint.text) for line in words["again"]]
        return Colour(after=_pick(scene, lines))
    late = complaint.spent > _LETS_GO and not scene.speech.fresh(complaint.text)
    if late and scene.sometimes(_STAYS):
        return Colour(after=_pick(scene, words["stays"]))
    return None


def _felt(scene: Scene, text: str) -> Colour:
    """Words of the feeling that the client has now; how it goes up or down is said from time to time."""
    state, words = scene.state, bank("client/emotion")
    kind = "eased" if state.eased else "sunk" if state.sunk else ""
    if kind and scene.exchange > 1 and scene.sometimes(_EASES):
        return Colour(after=_pick(scene, words[kind]))
    if not state.family or not scene.sometimes(_FEELS):
        return Colour()
    first = scene.sometimes(_BEFORE) and scene.exchange > 1
    if not first and (_definite(scene) or text.endswith("?")):
        return Colour()
    said = _pick(scene, words[state.family]["before" if first else "after"])
    return Colour(before=said) if first else Colour(after=said)


def _moved(scene: Scene, ready: Readiness, answer: str) -> Colour:
    """What the client does with this turn, in the words of its stage, and what it tells with it."""
    action = ready.action
    if action is None or (not _AGREED.isdisjoint(scene.reading.asks) and action not in _OFFERED):
        return Colour()
    telling = _telling(scene, ready, answer)
    lines = _lines(scene, ready, action)
    said = _pick(scene, lines) if lines and scene.sometimes(_SAYS.get(action, _REPORTS)) else ""
    if said and action is Action.INFORM and ready.stage is Stage.ACTION:
        said = f"{_what_it_is(scene)} {said}".strip()
    if ready.fell and scene.sometimes(_AGAIN):
        said = _pick(scene, bank("client/readiness")["fell"]) or said
    if action in _FIRST:
        return Colour(before=said if scene.own else "", after=telling)
    outright = action in SUSTAINS and bool(said) and _answers_freely(scene) and scene.sometimes(_OUTRIGHT)
    return Colour(after=f"{said} {telling}".strip(), instead=outright)


def _lines(scene: Scene, ready: Readiness, action: Action) -> Sequence[str]:
    """The words for an action; of what has been done, a client reports a few times in a session."""
    found: Sequence[str] = bank("client/readiness")[ready.stage].get(action, ())
    reports = action is Action.INFORM and ready.stage is Stage.ACTION
    return () if reports and sum(not scene.speech.fresh(line) for line in found) >= _MOST_REPORTS else found


def _what_it_is(scene: Scene) -> str:
    """Words that say what "it" is, before the first report of a session; "" if the change cannot be named so."""
    change = profile_of(scene.persona).change.rstrip(".")
    named = f"As for {change[:1].lower()}{change[1:]}."
    return named if _DOING.match(change) and scene.speech.fresh(named) else ""


def _telling(scene: Scene, ready: Readiness, answer: str) -> str:
    text, leads = _untold(scene, answer), bank("client/readiness")["tells"]
    if not text:
        return ""
    if ready.tells is Tells.PLAN and ready.stage is Stage.ACTION:
        return _pick(scene, [line.replace("{telling}", text) for line in leads["begun"]]) or text
    lead = _pick(scene, leads[ready.tells]) if ready.tells in leads and scene.sometimes(_AGAIN) else ""
    return f"{lead} {text}".strip()


def _definite(scene: Scene) -> bool:
    """Whether a number was asked for, or something settled, beside which nothing else has room."""
    return not (RATINGS | _AGREED).isdisjoint(scene.reading.asks)


def _answers_freely(scene: Scene) -> bool:
    """Whether nothing definite was asked, and the client has not just passed over a question."""
    return scene.exchange > 1 and set(scene.reading.asks) <= _OPEN and not scene.held_in_row


def _pick(scene: Scene, lines: Sequence[str]) -> str:
    """A line that was not said in this session, in a course one that is this session's to say; "" if all were."""
    fresh = scene.share(lines, scene.speech.fresh)
    return str(scene.chance.choice(fresh)) if fresh else ""
