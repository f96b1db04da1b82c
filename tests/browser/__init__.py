"""The snippet in a real Chromium."""
