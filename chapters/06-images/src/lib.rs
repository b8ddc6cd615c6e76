//! References, manifests, and a content store that is an OCI image layout.
#![forbid(unsafe_code)]
