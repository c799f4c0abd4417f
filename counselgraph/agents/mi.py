"""The client for motivational interviewing: its readiness is tracked, and what it does and tells follows from it.

As with the evolving client, readiness is played through anew from the transcript at every turn; only the client's notes
of what it has told are read back.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from counselgraph.agents.ask import Ask, seed_for
from counselgraph.agents.client import opening, spoken
from counselgraph.agents.hearing import Heard, heard_so_far, read_lexicon
from counselgraph.agents.role import Update, role
from counselgraph.agents.views import ClientView
from counselgraph.personas import readiness as states
from counselgraph.personas.consistency import given_away
from counselgraph.personas.interlude import Interlude
from counselgraph.personas.motivation import MotivationProfile, Stage
from counselgraph.personas.moves import (
    NOTED,
    Action,
    Tells,
    action_weights,
    choose_telling,
    draw,
    fits_a_plan,
)
from counselgraph.personas.persona import Persona
from counselgraph.personas.readiness import Readiness
from counselgraph.personas.told import Told, before, with_note

_STAGES = {
    Stage.PRECONTEMPLATION: "About {change}: you do not think that you need it. Agree to nothing of the kind.",
    Stage.CONTEMPLATION: "About {change}: you see what speaks for it and what speaks against it. Agree to no plan yet.",
    Stage.PREPARATION: "About {change}: you want it, and look for a way that suits you.",
    Stage.ACTION: "About {change}: you have begun, and you know that it can still go wrong.",
}
_ACTIONS = {
    Action.DENY: "With this answer you deny that there is a problem.",
    Action.DOWNPLAY: "With this answer you make it smaller than it is.",
    Action.BLAME: "With this answer you put it down to others, or to how things are.",
    Action.HESITATE: "With this answer you waver: you half see it, and draw back.",
    Action.INFORM: "With this answer you say plainly how something is in your life, no more.",
    Action.ENGAGE: "With this answer you think along, and go a little further than you were asked.",
    Action.ACKNOWLEDGE: "With this answer you admit something that you would rather not.",
    Action.REJECT: "With this answer you turn down what was just suggested.",
    Action.ACCEPT: "With this answer you agree to what was just suggested, as far as it suits you.",
    Action.PLAN: "With this answer you speak of what you could do, in small and sober terms.",
}
_TELLS = 'Bring in this, in words of your own: "{text}"'


class MiView(ClientView, total=False):
    """What a client knows, with its own state: its readiness to change, and how the last session ended."""

    session_number: int
    carried: dict[str, Any]
    readiness: Readiness


@role(view=MiView, name="client", speaks=True)
async def mi(view: MiView, ask: Ask) -> Update:
    """A client with a tracked readiness to change, who does and tells only what its stage allows."""
    await read_lexicon()
    persona, heard = view["persona"], heard_so_far(view["messages"])
    now, first = moved(view, heard), opening(view)
    if first is None:
        now = chosen(view, now, heard[-1], _chance(view, ask))
    # The View says how it was; a model that reads it rather than the prompt must know how it is.
    ask.view = {**ask.view, "readiness": now}
    speaker: MiView = {**view, "persona": held_back(persona)}
    draft = first or await spoken(speaker, ask, moment=moment_card(states.profile_of(persona), now))
    return {"draft": draft, "readiness": now.model_dump(mode="json")}


def starting(persona: Persona, carried: Mapping[str, Any] | None = None, since: Interlude | None = None) -> Readiness:
    """The readiness with which a client comes to a session.

    Args:
        persona: Who it is.
        carried: Its private channels at the end of the session before, as JSON; empty before the first.
        since: What has happened to it since.
    """
    start = states.beginning(persona)
    if not carried or "readiness" not in carried:
        return start
    return states.carried(
        Readiness.model_validate(carried["readiness"]), start, since or Interlude(event="Nothing in particular.")
    )


def moved(view: MiView, heard: Sequence[Heard]) -> Readiness:
    """Readiness after the client has heard all this, from the start of the session on; nothing chosen yet."""
    persona = view["persona"]
    profile = states.profile_of(persona)
    now = starting(persona, view.get("carried"), view.get("since"))
    for one in heard:
        untimely = given_away(one.before, profile, now.stage) if one.before else ()
        fresh = tuple(kind for kind in untimely if kind not in now.untimely)
        now = states.shifted(now, one.signs, states.nearness(one.words, profile))
        now = now.model_copy(update={"untimely": (*now.untimely, *fresh)})
    return now.model_copy(update={"exchange": view["exchange"]})


def chosen(view: MiView, now: Readiness, heard: Heard, chance: random.Random) -> Readiness:
    """Readiness with what the client does with this turn and what it tells."""
    profile = states.profile_of(view["persona"])
    session, exchange = view.get("session_number", 1), view["exchange"]
    kept = view.get("readiness")
    notes = before(now.told if kept is None else Readiness.model_validate(kept).told, session, exchange)
    fits = fits_a_plan(heard.words, profile)
    action = draw(action_weights(now.stage, now.receptivity, heard.signs, now.nearness, fits=fits), chance)
    tells, text = choose_telling(action, now.stage, profile, notes, heard.words, reached=now.reached)
    if tells is not Tells.NOTHING:
        notes = with_note(notes, Told(session=session, exchange=exchange, about=NOTED[tells], text=text))
    return now.model_copy(update={"action": action, "tells": tells, "telling": text, "told": notes})


def held_back(persona: Persona) -> Persona:
    """The persona without the reason for a change among what it tells: when that is told is decided by its stage."""
    reason = states.profile_of(persona).motivation
    if not reason:
        return persona
    return persona.model_copy(
        update={"disclosures": tuple(item for item in persona.disclosures if item.text != reason)}
    )


def moment_card(profile: MotivationProfile, now: Readiness) -> str:
    """The state as words for the turn card."""
    lines = [
        _STAGES[now.stage].format(change=profile.change),
        _ACTIONS[now.action] if now.action else "",
        _TELLS.format(text=now.telling) if now.telling else "",
    ]
    return "\n".join(line for line in lines if line)


def _chance(view: MiView, ask: Ask) -> random.Random:
    """Chance that is the same whenever the same turn of the same session is played."""
    return random.Random(seed_for(ask.scene.seed_key, view.get("session_number", 1), ask.scene.exchange, "mi"))
