"""What the services need from the outside, as Protocols. Adapters fulfil them; contract suites hold them to it."""
