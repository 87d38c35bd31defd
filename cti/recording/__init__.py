"""Raw sound on a node -> a checked two-channel file. Pure: naming, wav, verdict. Service: collector."""
