"""What every Ruamjai service uses: event contracts, bus kernel, store, telemetry, settings."""
