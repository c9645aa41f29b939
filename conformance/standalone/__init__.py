"""What surrounds a daemon in pods of its own: its certificates, its client, the policies between them."""
