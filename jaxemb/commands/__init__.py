"""The command `jaxemb`: experiments by name, and what is no experiment."""
