"""A live conversation with one account and one market of a venue: sockets kept open, commands carried out,
everything that happens delivered as events. Used by engines, and for one question at a time by commands.

`session` is the door in. It knows no venue (codecs do) and decides nothing about orders (the step does).
"""
