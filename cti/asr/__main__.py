"""`python -m cti.asr`: a process that transcribes. Only hands on to its composition root."""

from cti.transcribing import main

if __name__ == "__main__":
    main(prog_name="python -m cti.asr")
