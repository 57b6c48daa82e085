# common/: what two or more folders use
$(eval $(call library,common))
$(eval $(call tests,common,common,libcrypto json-c))
$(eval $(call fuzzers,json cel conf cmdline deb_version pcr_policy,common,libcrypto json-c))
