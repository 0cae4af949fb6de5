//! Sessions, ingest, the live store, API handlers and the embedded web app
