"""Memory: what one owner keeps of one client across sessions."""

from counselgraph.memory.embed import Embedder, load_embedder
from counselgraph.memory.forgetting import Forgetting
from counselgraph.memory.ranking import Weights
from counselgraph.memory.record import Kind, MemoryRecord, Moment
from counselgraph.memory.store import MemoryStore

__all__ = ["Embedder", "Forgetting", "Kind", "MemoryRecord", "MemoryStore", "Moment", "Weights", "load_embedder"]
