"""The Asterisk edge: FastAGI, AMI, CEL files, and the fail-safe records Asterisk keeps for us."""
