"""What ops looks at: alerting rules, and dashboards made from the catalogues of metrics."""
