"""A small Kanban application that was there before sync: the example of the docs."""
