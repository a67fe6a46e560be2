"""Values: what the words of trading mean here. No I/O, no clock, no randomness, no floats for money."""
