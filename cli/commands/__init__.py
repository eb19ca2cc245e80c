"""One module per noun; each offers `register(app)`."""
