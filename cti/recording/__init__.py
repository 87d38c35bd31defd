"""Raw sound on a node -> a checked two-channel file, and all that becomes of it.

Pure: naming, wav, verdict, peaks, plan, keys, sealing, works. Media: files, file_store, s3_store (boto3), sound_files
(soundfile). archive: the files, whatever their place, form and key. Handlers of work: collector, keeper. Services:
space, pauses, retention. desk: what people do with recordings. Whoever wants samples takes `ports.SoundReader`.
"""
