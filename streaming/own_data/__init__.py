"""What owners may do with all of their answers: see how many there are, export and delete them."""
