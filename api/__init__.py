"""HTTP: the only package that knows Flask and marshmallow. `api.app.create_app` joins all."""
