//! Histories of concurrent clients, checked against a sequential model.
