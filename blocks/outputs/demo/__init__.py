"""What the demo model is asked for: a model of 135 million parameters needs a form of its own."""
