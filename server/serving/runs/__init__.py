"""Published runs open for reading: newest run per tenant, queue, cache, status."""
