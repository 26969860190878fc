"""Commands for whoever runs the project."""
