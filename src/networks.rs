//! What the engine does with networks: the default bridge, made when a container first joins it.
