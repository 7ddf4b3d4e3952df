"""Pages for people: a module each, with its ``router``."""
