"""Durable jobs: a submission's seeds, trained in boxes, predicted and scored by the host."""
