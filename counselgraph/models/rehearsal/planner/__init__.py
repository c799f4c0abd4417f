"""The rehearsal planner: scores the techniques by what was said and judges the phase from where the plan stands."""

from counselgraph.models.rehearsal.planner.deciding import decide
from counselgraph.models.rehearsal.planner.scoring import scores

__all__ = ["decide", "scores"]
