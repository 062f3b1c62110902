"""`python -m bukvar`: the command, where its script is not on the path. The library's faces are `corpus`,
`tokenizer` and `pipelines`."""

from pipelines.cli import main

if __name__ == "__main__":
    main()
