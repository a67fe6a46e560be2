"""The rim: HTTP, WebSockets, back-off, the world. Knows no venue and no strategy."""
