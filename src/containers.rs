//! What the engine does with containers: one file per verb.
