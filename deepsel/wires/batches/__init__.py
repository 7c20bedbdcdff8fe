"""The batch APIs of providers: pure functions from requests to bodies, and readers of what comes back; a file an API."""
