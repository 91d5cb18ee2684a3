"""Where reports come in: accepted durably over HTTP, forwarded to the bus, followed for who sent them."""
