"""What learns, as code: no weights, no users, no HTTP. `models.space` joins the parts; README.md draws them."""
