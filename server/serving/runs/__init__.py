"""Published runs, opened for reading: newest run per tenant, queue, cache, status."""
