//! What is sent of a template.
