"""ASGI building blocks: middleware, authentication, problem details, workers."""
