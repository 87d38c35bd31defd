"""The routes, one file per noun. A handler reads the request, asks the service, and says the answer; no more."""
