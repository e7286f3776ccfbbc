"""Storage: the hub, the operations database, locks, the disk."""
