//! Runs collectors and keeps the session with the server
