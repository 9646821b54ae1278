"""A lab's own folder as a data set: described, read, examined, registered."""
