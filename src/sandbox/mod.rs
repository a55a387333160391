//! A small Weaviate-compatible cluster in the process.
