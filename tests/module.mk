# tests/: what no folder owns
$(B)/tests/vm/probe: $(addprefix $(B)/tests/vm/,probe.o end_state.o supervisor.o jit.o)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
$(B)/tests/verity/vm_activate.o: CFLAGS += -Wno-unused-result
$(B)/tests/verity/vm_activate: PKGS := libcryptsetup libcrypto blkid json-c
$(B)/tests/verity/vm_activate: $(B)/tests/verity/vm_activate.o $(B)/libverity.a $(B)/libcommon.a
	$(call say,LD,$@)
	$(Q)$(call link,-s)
$(B)/tests/vm/maker: $(B)/tests/vm/maker.o
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<
$(B)/tests/vm/bench_gate: $(B)/tests/vm/bench_gate.o
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<
