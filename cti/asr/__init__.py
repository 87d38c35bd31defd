"""Recordings -> transcripts. Engines behind one port, voice activity, jobs, workers; knows nothing of search."""
