"""The client's half of the rehearsal model."""

from counselgraph.models.rehearsal.client.speak import speak

__all__ = ["speak"]
