"""What an event loop needs: tasks with an owner, bells, rounds."""
