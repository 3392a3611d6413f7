"""One file per command of ``infantpose``: ``run(args) -> exit code``, imported when called."""
