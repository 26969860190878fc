"""Programs beside the suite: they make pages and pictures of the docs, and measure the code."""
