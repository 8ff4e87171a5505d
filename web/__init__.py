"""The public pages and the review room: server-rendered, over the store."""
