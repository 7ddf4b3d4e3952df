"""Storage: items, figures and cursors, kept together."""
