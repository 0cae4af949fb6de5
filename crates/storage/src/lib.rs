//! The telemetry store: one port, and DuckDB files behind it.

#[cfg(test)]
mod tests {
    #[test]
    fn it_links() {
        let c = duckdb::Connection::open_in_memory().unwrap();
        assert_eq!(c.version().unwrap(), "v1.5.6");
    }
}
