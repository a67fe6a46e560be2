"""The bot's pure machine: events in, commands and records out. The same live, simulated and in a backtest."""
