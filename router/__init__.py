"""call-router: which advertisement made the phone ring, and how sure that is."""

__version__ = "0.1.0"
