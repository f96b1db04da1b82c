"""First run: everything that `make run`, `make call`, `make doctor` and `make clean` need."""
