"""The peers of `bench compare`: each as its own documentation shows, one send for each token."""
