# attest/: event logs, evidence, appraisal, and the verifier's service, which no guest carries
ATTEST_SERVICE := attest/state.c attest/hosts.c attest/service.c attest/server.c attest/cmd_verifier.c
ATTEST_SQLITE := $(if $(SYSROOT),,sqlite3)
# Nor are the tests that start it built against a sysroot: they run where the service does.
NOT_BUILT += $(if $(SYSROOT),$(ATTEST_SERVICE) tests/attest/test_verifier.c $(wildcard tests/attest/test_attack_*.c))
$(eval $(call library,attest))
$(eval $(call program,holdfast-attest,attest/main.c $(filter-out $(NOT_BUILT),$(wildcard attest/cmd_*.c)),attest policy verity common,libssl libcrypto json-c tss2-esys tss2-mu $(ATTEST_SQLITE)))
$(eval $(call tests,attest,attest policy verity common,libssl libcrypto json-c tss2-esys tss2-mu $(ATTEST_SQLITE)))
$(eval $(call fuzzers,evidence agent_message ek_cert ticket http policy_set,attest policy verity common,libssl libcrypto json-c tss2-esys tss2-mu $(ATTEST_SQLITE)))
$(eval $(call fuzzers,tcg_log ima_log quote refvalues,attest policy verity common,libssl libcrypto json-c tss2-esys tss2-mu $(ATTEST_SQLITE)))

# The service under load, on the loopback device: make bench-attest-service
$(B)/tests/attest/bench_service: $(B)/tests/attest/bench_service.o $(B)/libattest.a $(B)/libpolicy.a $(B)/libverity.a $(B)/libcommon.a
$(B)/tests/attest/bench_service: PKGS := libssl libcrypto json-c tss2-esys tss2-mu sqlite3 cmocka
$(B)/tests/attest/bench_service:
	$(call say,LD,$@)
	$(Q)$(call link,)
-include $(B)/tests/attest/bench_service.d
