# targets.mk - test and packaging targets
