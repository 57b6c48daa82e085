# attest/: event logs, evidence, appraisal, and the verifier's service, which no guest carries
ATTEST_SERVICE := attest/state.c attest/hosts.c attest/service.c attest/server.c attest/cmd_verifier.c
ATTEST_SQLITE := $(if $(GUEST),,sqlite3)
NOT_BUILT += $(if $(GUEST),$(ATTEST_SERVICE))
$(eval $(call library,attest))
$(eval $(call program,holdfast-attest,attest/main.c $(filter-out $(NOT_BUILT),$(wildcard attest/cmd_*.c)),attest policy verity common,libssl libcrypto json-c tss2-esys tss2-mu $(ATTEST_SQLITE)))
$(eval $(call tests,attest,attest policy verity common,libssl libcrypto json-c tss2-esys tss2-mu $(ATTEST_SQLITE)))
$(eval $(call fuzzers,evidence agent_message ek_cert ek_revoked ticket http policy_set channel rsassa,attest policy verity common,libssl libcrypto json-c tss2-esys tss2-mu $(ATTEST_SQLITE)))
$(eval $(call fuzzers,tcg_log ima_log quote refvalues event_log pcr_values explain,attest policy verity common,libssl libcrypto json-c tss2-esys tss2-mu $(ATTEST_SQLITE)))

# The service under load, on the loopback device: make bench-attest-service
$(B)/tests/attest/bench_service: $(B)/tests/attest/bench_service.o $(B)/libattest.a $(B)/libpolicy.a $(B)/libverity.a $(B)/libcommon.a
$(B)/tests/attest/bench_service: PKGS := libssl libcrypto json-c tss2-esys tss2-mu sqlite3 cmocka
$(B)/tests/attest/bench_service:
	$(call say,LD,$@)
	$(Q)$(call link,)
-include $(B)/tests/attest/bench_service.d

# In-process: make bench-attest
$(B)/tests/attest/bench_attest: $(B)/tests/attest/bench_attest.o $(patsubst %,$(B)/lib%.a,attest policy verity common)
$(B)/tests/attest/bench_attest: PKGS := libssl libcrypto json-c tss2-esys tss2-mu sqlite3 cmocka
$(B)/tests/attest/bench_attest:
	$(call say,LD,$@)
	$(Q)$(call link,)
-include $(B)/tests/attest/bench_attest.d
