"""The closed list of techniques and the phases of a session."""

from __future__ import annotations

from enum import StrEnum


class Technique(StrEnum):
    """The fourteen CBT techniques: the twelve of Cactus and two more of its gold labels."""

    EFFICIENCY_EVALUATION = "efficiency_evaluation"
    PIE_CHART = "pie_chart"
    ALTERNATIVE_PERSPECTIVE = "alternative_perspective"
    DECATASTROPHIZING = "decatastrophizing"
    PROS_AND_CONS = "pros_and_cons"
    EVIDENCE_BASED_QUESTIONING = "evidence_based_questioning"
    REALITY_TESTING = "reality_testing"
    CONTINUUM = "continuum"
    CHANGING_RULES_TO_WISHES = "changing_rules_to_wishes"
    BEHAVIOR_EXPERIMENT = "behavior_experiment"
    PROBLEM_SOLVING = "problem_solving"
    SYSTEMATIC_EXPOSURE = "systematic_exposure"
    ROLE_PLAYING = "role_playing"
    ASSERTIVENESS = "assertiveness"


class Phase(StrEnum):
    """Where the session stands."""

    AGENDA = "agenda"
    EXPLORATION = "exploration"
    INTERVENTION = "intervention"
    CLOSING = "closing"
