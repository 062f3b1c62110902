"""What stage `identify` knows of languages: tags, and models of fastText by path."""
