"""Dialogues of other systems, read into turns."""
