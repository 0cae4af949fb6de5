//! The filter language (work in progress).
