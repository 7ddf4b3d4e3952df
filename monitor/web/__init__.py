"""The dashboard, the interface for programs, and what monitoring asks: the same figures as everywhere, to look at and to correct."""
