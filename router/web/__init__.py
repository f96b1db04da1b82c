"""The HTTP edge: the snippet's API, and what staff see."""
