"""HTTP API and WebSocket: `app` puts it together, `auth` lets in, `api/` has a file per noun."""
