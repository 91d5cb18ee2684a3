"""What an agency's topic got, sent on to its own endpoints, signed; nothing waits for an endpoint."""
