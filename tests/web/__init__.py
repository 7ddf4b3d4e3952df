"""The dashboard and the interface for programs, asked over HTTP and looked at in a browser."""
