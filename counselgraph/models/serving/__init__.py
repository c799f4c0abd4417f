"""Model servers of our own: what they are started with, what they need, and how they are stopped."""
