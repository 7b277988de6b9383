"""The commands of `lamina`, one a module: `run(args)`, imported when the command is used."""
