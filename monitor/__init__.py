"""The Sentiment Monitor: what people say about a brand, and how they feel."""

__version__ = "0.1.0"
