//! From Docker's request to the OCI runtime spec: pure, and the only place that knows both.
