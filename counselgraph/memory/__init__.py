"""Memory: what one owner keeps of one client across sessions."""

from counselgraph.memory.embed import Embedder, load_embedder
from counselgraph.memory.record import Kind, MemoryRecord
from counselgraph.memory.store import MemoryStore

__all__ = ["Embedder", "Kind", "MemoryRecord", "MemoryStore", "load_embedder"]
