"""The parts of make_crawl.py: where pages come from, how they are spoiled, and how they are written."""
