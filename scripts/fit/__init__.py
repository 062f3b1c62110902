"""Programs that fit the models and tables of bukvar; none of them is in the wheel."""
