"""By which trunk a call leaves and which number it shows; how well both do."""
