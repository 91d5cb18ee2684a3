"""The services of Ruamjai; none imports another."""
