"""Who keeps processes alive. Plans, holds, health gates and the stop procedure do not know which backend it is."""
