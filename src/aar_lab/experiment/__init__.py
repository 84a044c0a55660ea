"""One experiment: a method on one seed, from weak labels to a student and its predictions."""
