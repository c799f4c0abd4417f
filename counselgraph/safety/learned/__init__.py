"""The learned layer of the screens."""

from counselgraph.safety.learned.screen import screen_learned, screen_learned_reply

__all__ = ["screen_learned", "screen_learned_reply"]
