"""Where rows live: the hub, the operations database, locks and the disk."""
