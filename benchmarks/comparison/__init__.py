"""The loads of `bench compare`, their goals, and how the results are shown."""
