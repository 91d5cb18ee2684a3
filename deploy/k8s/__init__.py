"""Ruamjai on Kubernetes: manifests, and what is done with them."""
