"""What the providers of clusters in containers share: the engine, node images, the removal of what bears a name."""
