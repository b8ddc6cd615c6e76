//! What the engine does with images: one file per verb over the chapters 06 to 08.
