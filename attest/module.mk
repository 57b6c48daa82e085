# attest/: event logs, evidence, appraisal
$(eval $(call library,attest))
$(eval $(call program,holdfast-attest,attest/main.c $(wildcard attest/cmd_*.c),attest policy verity common,libcrypto json-c tss2-esys tss2-mu))
$(eval $(call tests,attest,attest policy verity common,libcrypto json-c tss2-esys tss2-mu))
$(eval $(call fuzzers,evidence agent_message ek_cert,attest policy verity common,libcrypto json-c tss2-esys tss2-mu))
$(eval $(call fuzzers,tcg_log ima_log quote refvalues,attest policy verity common,libcrypto json-c tss2-esys tss2-mu))
$(eval $(call fuzzers,event_log pcr_values explain,attest policy verity common,libcrypto json-c tss2-esys tss2-mu))

# In-process benchmark: built like a test, run by tests/attest/bench.
$(B)/tests/attest/bench_attest: $(B)/tests/attest/bench_attest.o $(patsubst %,$(B)/lib%.a,attest policy verity common)
	$(call say,LD,$@)
	$(Q)$(call link,)
$(B)/tests/attest/bench_attest: PKGS := libcrypto json-c tss2-esys tss2-mu cmocka
