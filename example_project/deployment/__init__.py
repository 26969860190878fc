"""The example as a site: its settings behind nginx, and nginx's own."""
