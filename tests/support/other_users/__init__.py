"""Two user models whose primary keys are no numbers, and settings that use them."""
