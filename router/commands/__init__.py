"""Commands for administrators, a module for each subject."""
