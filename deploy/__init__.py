"""Everything that runs Ruamjai somewhere: on one machine (`local`) or on Kubernetes (`k8s`)."""
