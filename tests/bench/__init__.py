"""`make bench`: how fast, against what, in one interleaved run. Figures only: nothing here passes or fails."""
