"""`ruamjai pack build`: a jurisdiction pack from somebody's boundary file and a recipe."""
