//! The contract: request and response types, error codes, OpenAPI
