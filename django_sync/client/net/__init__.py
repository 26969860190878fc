"""The client's network: requests, connections, and what they show of the network."""
