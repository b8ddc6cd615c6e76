//! What the engine does with exec sessions: a further process in a running container.
