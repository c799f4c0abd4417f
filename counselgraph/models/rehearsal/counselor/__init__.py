"""The rehearsal counselor: follows the plan step by step with the client's own words."""

from counselgraph.models.rehearsal.counselor.speaking import speak

__all__ = ["speak"]
