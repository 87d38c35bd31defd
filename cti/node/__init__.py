"""The node contract: what an Asterisk must bring, how that is proved, and what it writes itself.

`checks` proves it: `questions` asks, `probe` places calls that ring nobody, `wire` hears what comes of them,
`evidence` fetches what they left on disks, `verdicts` and `file_verdicts` (pure) say what that proves, `machine` looks
at this side. `cel` tells the stories of channels: `cel_files` finds rows, `cel_rows` and `story` (pure) read them.
"""
