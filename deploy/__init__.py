"""Where the parts are put together, started and watched.

The only room that reads the environment and the only one that imports all
others. Its face is the `rdc` command in `deploy.cli`.
"""
