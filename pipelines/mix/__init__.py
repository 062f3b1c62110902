"""What a training run takes of what: sources, weights, budgets, repeats; the plan and the shuffled shards."""
