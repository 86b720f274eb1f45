"""What makes faking a place dearer, and shows people where to look. Nothing proves a location."""
