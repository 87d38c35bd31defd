"""HTTP API and WebSocket: `app` puts it together, `auth` lets in, `api/` has one file per noun, `live` sends events."""
