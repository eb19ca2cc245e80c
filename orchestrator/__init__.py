"""Lorry's engine half: domain, ports, services, adapters."""
