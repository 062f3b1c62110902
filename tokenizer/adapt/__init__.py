"""An open model's tokenizer given a Russian vocabulary, and the proof of what changed and what did not."""
