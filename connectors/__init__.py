"""Connectors: what people say, page by page, from each platform."""
