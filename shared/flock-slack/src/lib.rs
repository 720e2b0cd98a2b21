//! Slack: request verification, what it sends, what it shows, its Web API.
