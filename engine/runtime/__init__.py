"""One bot process: start-up, step loop, journal, control socket, stop procedure."""
