"""The command line: a user's commands over the HTTP API, and the operator's."""
