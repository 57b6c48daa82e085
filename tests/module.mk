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
# A boot's floor: no C library, no stack protector (which would want one), a few KB. The idle loop is a static one of the C library's.
RAW_FLAGS = $(filter-out -D_FORTIFY_SOURCE% -fstack-protector% -ftrivial-auto-var-init% -fPIE -g,$(CFLAGS)) -fno-pie -ffreestanding -fno-stack-protector
$(B)/tests/vm/boot/floor $(B)/tests/vm/boot/end: $(B)/tests/vm/boot/%: tests/vm/boot/%.c tests/vm/boot/raw.h $(FLAGS_FILE)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(RAW_FLAGS) -static -nostdlib -no-pie -Wl,-z,noexecstack -Wl,--build-id=none -s -o $@ $<
$(B)/tests/vm/boot/idle: tests/vm/boot/idle.c $(FLAGS_FILE)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(filter-out -fPIE,$(CFLAGS)) -fno-pie -static -no-pie -s -o $@ $<
