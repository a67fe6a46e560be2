"""Venues, as pure translation: facts, messages, signatures, book rules. No socket, no clock, no asyncio.

`interface` is what every venue offers, `messages` is what travels, `registry` finds a venue by name.
A venue's package never imports another venue's.
"""
