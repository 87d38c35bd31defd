"""The node contract: what an Asterisk must bring, how it is proved (`checks`), and what it writes itself (CEL).

Pure: cel_rows, story. Files: cel_files. Adapter: cel (`CelFolder`).
"""
