"""The interface for programs: a module a resource, with its ``router``."""
