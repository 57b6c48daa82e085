# tests/: what no folder owns
$(B)/tests/vm/probe: $(B)/tests/vm/probe.o
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<
