//! What the engine says about itself: info and version.
