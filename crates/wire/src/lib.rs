//! Bytes to protocol units that no good library decodes for us; pure, bounded, never panics
