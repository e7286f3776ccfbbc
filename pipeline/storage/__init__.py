"""Where rows live: the hub, the operations database, locks, the disk."""
