"""Token ids as files that trainers read: the tokenizer that makes them, their formats."""
