//! One small process per container: stdio, pty, logs, attach, exit status; the container's states.
#![forbid(unsafe_code)]
