"""A lab's own model and a private benchmark."""
